package dev.troupe.server.event;

import com.google.protobuf.util.Durations;
import com.google.protobuf.util.Timestamps;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.log.LogPosition;
import dev.troupe.server.redis.Reply;
import dev.troupe.v1.Durability;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.Topic;
import dev.troupe.v1.TopicSettings;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Topics as the scripts keep them; see {@code event/topic}. */
final class TopicCodec {

  /** The settings that can be changed, by their paths in a mask. */
  static final Set<String> PATHS =
      Set.of("max_age", "max_events", "max_bytes", "durability", "compacted", "description");

  private TopicCodec() {}

  /** Settings as fields of a topic and their values, one behind the other; empty: the default. */
  static List<Object> fields(Collection<String> paths, TopicSettings settings) {
    List<Object> fields = new ArrayList<>(2 * paths.size());
    for (String path : paths) {
      switch (path) {
        case "max_age" -> add(fields, "ma", number(Durations.toMillis(settings.getMaxAge())));
        case "max_events" -> add(fields, "me", number(settings.getMaxEvents()));
        case "max_bytes" -> add(fields, "mb", number(settings.getMaxBytes()));
        case "durability" ->
            add(
                fields,
                "du",
                settings.getDurability() == Durability.DURABILITY_REPLICATED ? "2" : "");
        case "compacted" -> add(fields, "cp", settings.getCompacted() ? "1" : "");
        case "description" -> add(fields, "ds", settings.getDescription());
        default -> throw new IllegalArgumentException("not a setting of a topic: " + path);
      }
    }
    return fields;
  }

  private static void add(List<Object> fields, String field, String value) {
    fields.add(field);
    fields.add(value);
  }

  private static String number(long value) {
    return value == 0 ? "" : Long.toString(value);
  }

  /** What {@code event/describe} says of a topic. */
  static Topic topic(int partition, Reply row) {
    Topic.Builder topic =
        Topic.newBuilder()
            .setName(row.text(0))
            .setCreateTime(Timestamps.fromMicros(row.number(1)))
            .setVersion(row.number(2))
            .setSettings(
                TopicSettings.newBuilder()
                    .setMaxAge(Durations.fromMillis(row.number(3)))
                    .setMaxEvents(row.number(4))
                    .setMaxBytes(row.number(5))
                    .setDurabilityValue((int) row.number(6))
                    .setCompacted(row.number(7) == 1)
                    .setDescription(row.text(8)))
            .setPublishedCount(row.number(9))
            .setByteCount(row.number(10))
            .setEventCount(row.number(11))
            .setFirstPosition(row.number(12))
            .setGroupCount((int) row.number(15))
            .setPartition(partition);
    if (!row.text(13).isEmpty()) {
      topic.setFirstTime(Timestamps.fromMillis(LogPosition.parse(row.text(13), 0).millis()));
      topic.setLastTime(Timestamps.fromMillis(LogPosition.parse(row.text(14), 0).millis()));
    }
    return topic.build();
  }

  /** What a script of topics, or of their groups, refuses. */
  static TroupeException refusal(Reply reply) {
    return switch (reply.code()) {
      case "NOT_FOUND" ->
          TroupeException.of(ErrorReason.ERROR_REASON_TOPIC_NOT_FOUND, "no such topic");
      case "EXISTS" ->
          TroupeException.of(ErrorReason.ERROR_REASON_TOPIC_EXISTS, "the topic exists");
      case "VERSION" ->
          TroupeException.of(
              ErrorReason.ERROR_REASON_VERSION_MISMATCH,
              "the topic changed since that version",
              Map.of("current_version", reply.text(1)));
      case "LIMIT" -> tooManyTopics();
      case "STALE_FENCE" -> TroupeException.staleFence(reply.number(1));
      case "REUSED" -> TroupeException.requestIdReused();
      default -> throw new IllegalStateException("an unknown reply: " + reply.code());
    };
  }

  static TroupeException tooManyTopics() {
    return TroupeException.of(
        ErrorReason.ERROR_REASON_LIMIT_EXCEEDED,
        "too many topics in this partition",
        Map.of("limit", "100000"));
  }
}
