package dev.troupe.examples.survey;

import com.google.gson.Gson;
import com.google.gson.JsonParseException;
import com.google.gson.annotations.SerializedName;
import com.google.protobuf.ByteString;
import org.jspecify.annotations.Nullable;

/**
 * A task's payload: a file below the surveyed directory.
 *
 * @param language decides what counts; found by the file's name when missing
 * @param pauseMillis how long the first attempt waits before it begins, to be caught in the act
 */
record SurveyTask(
    String path, @Nullable String language, @SerializedName("pause_ms") long pauseMillis) {

  private static final Gson GSON = new Gson();

  ByteString toBytes() {
    return ByteString.copyFromUtf8(GSON.toJson(this));
  }

  /**
   * Reads a payload.
   *
   * @throws IllegalArgumentException when it is not JSON with a path
   */
  static SurveyTask of(ByteString payload) {
    SurveyTask task;
    try {
      task = GSON.fromJson(payload.toStringUtf8(), SurveyTask.class);
    } catch (JsonParseException e) {
      throw new IllegalArgumentException("payload: " + e.getMessage() + " (expected: JSON)", e);
    }
    if (task == null || task.path == null) {
      throw new IllegalArgumentException("payload: no path (expected: JSON with path)");
    }
    return task;
  }
}
