package dev.troupe.examples.survey;

import com.google.gson.Gson;
import com.google.protobuf.ByteString;

/** A task's result, as all three workers write it. */
record SurveyResult(
    String path,
    String language,
    long lines,
    long declarations,
    long imports,
    long todos,
    String worker) {

  private static final Gson GSON = new Gson();

  static SurveyResult of(String path, String language, Counts counts, String worker) {
    return new SurveyResult(
        path,
        language,
        counts.lines(),
        counts.declarations(),
        counts.imports(),
        counts.todos(),
        worker);
  }

  static SurveyResult of(ByteString result) {
    return GSON.fromJson(result.toStringUtf8(), SurveyResult.class);
  }

  ByteString toBytes() {
    return ByteString.copyFromUtf8(GSON.toJson(this));
  }

  Counts counts() {
    return new Counts(lines, declarations, imports, todos);
  }
}
