package dev.troupe.server.event;

import dev.troupe.server.event.TopicStreams.Row;
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
 * What a subscription to known topics has to read from before the log begins.
 *
 * <p>What one topic has lost may lie behind what another still has, and topics go on losing while
 * they are read. So it remembers up to where it told of losses, and hands out all entries up to
 * there before it tells of more: else a reader that is told anew each time it looks would never get
 * on.
 */
final class TopicHistory implements OlderEntries {

  private final TopicStreams streams;
  private final Partition partition;
  private final List<String> topics;
  private final boolean resumed;

  /** What was lost before a reader began that wants what there is. */
  private final Map<String, LogPosition> gone = new HashMap<>();

  private LogPosition told = LogPosition.BEGINNING;

  /**
   * Nothing is read yet.
   *
   * @param topics of the partition; not none
   * @param resumed whether the reader goes on from a token, and so is to be told of what is lost
   *     even where its position has no sequence; others begin there with what there is
   */
  TopicHistory(TopicStreams streams, Partition partition, List<String> topics, boolean resumed) {
    this.streams = streams;
    this.partition = partition;
    this.topics = topics;
    this.resumed = resumed;
  }

  @Override
  public CompletionStage<Older> after(LogPosition position, int most, long bytes) {
    return streams
        .after(partition, topics, position, most, bytes)
        .thenApply(
            row -> {
              if (!position.isExact() && !resumed) {
                begin(row);
                return older(row, row.entries(), null);
              }
              LogPosition lost = lost(row);
              if (lost == null || lost.compareTo(later(position, told)) <= 0) {
                return older(row, row.entries(), null);
              }
              List<LogEntry> inside =
                  row.entries().stream()
                      .takeWhile(each -> each.position().compareTo(told) <= 0)
                      .toList();
              if (!inside.isEmpty()) {
                return older(row, inside, null);
              }
              told = lost;
              return older(row, row.entries(), lost);
            });
  }

  private static Older older(Row row, List<LogEntry> entries, @Nullable LogPosition lost) {
    return new Older(entries, lost, row.logBegins(), row.epoch());
  }

  private void begin(Row row) {
    for (int i = 0; i < topics.size(); i++) {
      LogPosition place = lost(row, i);
      if (place != null) {
        gone.put(topics.get(i), place);
      }
    }
  }

  /** Up to where something is lost that was there when the reader began. */
  private @Nullable LogPosition lost(Row row) {
    LogPosition newest = null;
    for (int i = 0; i < topics.size(); i++) {
      LogPosition place = lost(row, i);
      LogPosition before = gone.getOrDefault(topics.get(i), LogPosition.BEGINNING);
      if (place != null && place.compareTo(before) > 0) {
        newest = newest == null ? place : later(newest, place);
      }
    }
    return newest;
  }

  /** What a topic has lost, as far as the log does not have it. */
  private static @Nullable LogPosition lost(Row row, int topic) {
    LogPosition place = row.lost().get(topic);
    return place == null || place.compareTo(row.logBegins()) <= 0 ? place : row.logBegins();
  }

  private static LogPosition later(LogPosition one, LogPosition other) {
    return one.compareTo(other) >= 0 ? one : other;
  }

  @Override
  public CompletionStage<List<LogEntry>> before(LogPosition position, int most) {
    return streams.before(partition, topics, position, most);
  }
}
