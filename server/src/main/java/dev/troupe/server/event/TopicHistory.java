package dev.troupe.server.event;

import dev.troupe.server.log.LogEntry;
import dev.troupe.server.log.LogPosition;
import dev.troupe.server.log.OlderEntries;
import dev.troupe.server.redis.Partition;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * What a subscription to known topics has to read from before the log begins. It remembers what it
 * told to be lost, topic by topic, as what one has lost may lie behind what another still has.
 */
final class TopicHistory implements OlderEntries {

  private final TopicStreams streams;
  private final Partition partition;
  private final List<String> topics;
  private final Map<String, LogPosition> told = new HashMap<>();

  /**
   * Nothing is read yet.
   *
   * @param topics of the partition; not none
   */
  TopicHistory(TopicStreams streams, Partition partition, List<String> topics) {
    this.streams = streams;
    this.partition = partition;
    this.topics = topics;
  }

  @Override
  public CompletionStage<Older> after(LogPosition position, int most, long bytes) {
    return streams
        .after(partition, topics, position, most, bytes)
        .thenApply(
            row -> {
              LogPosition lost = lost(row.lost());
              return new Older(
                  row.entries(), position.isExact() ? lost : null, row.logBegins(), row.epoch());
            });
  }

  private @Nullable LogPosition lost(List<@Nullable LogPosition> places) {
    LogPosition newest = null;
    for (int i = 0; i < topics.size(); i++) {
      LogPosition place = places.get(i);
      if (place == null) {
        continue;
      }
      LogPosition known = told.put(topics.get(i), place);
      boolean isNew = known == null || known.compareTo(place) < 0;
      if (isNew && (newest == null || newest.compareTo(place) < 0)) {
        newest = place;
      }
    }
    return newest;
  }

  @Override
  public CompletionStage<List<LogEntry>> before(LogPosition position, int most) {
    return streams.before(partition, topics, position, most);
  }
}
