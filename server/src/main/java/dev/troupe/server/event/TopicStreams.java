package dev.troupe.server.event;

import com.google.inject.Inject;
import dev.troupe.server.log.LogEntry;
import dev.troupe.server.log.LogPosition;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.Reply;
import dev.troupe.server.redis.Script;
import dev.troupe.server.redis.ScriptRunner;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * What topics of one partition keep in Redis, read as one row in the order of the log. Each call is
 * one look at one moment, of at most 128 events. Thread-safe; never blocks.
 */
final class TopicStreams {

  private static final Script HISTORY = Script.load("event/history");
  private static final int MOST = 128;
  private static final long BYTES = 1 << 20;

  /** Fields of the reply before those of the topics, and of each event. */
  private static final int HEAD = 6;

  private static final int EACH = 7;

  private final ScriptRunner scripts;

  @Inject
  TopicStreams(ScriptRunner scripts) {
    this.scripts = scripts;
  }

  /**
   * What is there.
   *
   * @param entries in the order of reading
   * @param lost per topic up to where it may have lost something after the position; null if not
   * @param logBegins the place right before the log's first entry; its end when it has none
   * @param epoch the life of the log
   */
  record Row(
      List<LogEntry> entries,
      List<@Nullable LogPosition> lost,
      LogPosition logBegins,
      long epoch) {}

  /** Events after a position and from before the log begins. */
  CompletionStage<Row> after(
      Partition partition, List<String> topics, LogPosition position, int most, long bytes) {
    return read(partition, topics, "f", position, most, bytes);
  }

  /** Events before a position, the newest first. */
  CompletionStage<List<LogEntry>> before(
      Partition partition, List<String> topics, LogPosition position, int most) {
    return read(partition, topics, "r", position, most, BYTES).thenApply(Row::entries);
  }

  private CompletionStage<Row> read(
      Partition partition,
      List<String> topics,
      String order,
      LogPosition position,
      int most,
      long bytes) {
    List<Object> arguments =
        new ArrayList<>(List.of(order, position.id(), Math.min(most, MOST), bytes));
    arguments.addAll(topics);
    return scripts
        .run(HISTORY, partition, arguments.toArray())
        .thenApply(elements -> row(partition, topics, new Reply(elements)));
  }

  private static Row row(Partition partition, List<String> topics, Reply reply) {
    List<@Nullable LogPosition> lost = new ArrayList<>(topics.size());
    for (int i = 0; i < topics.size(); i++) {
      String[] place = reply.text(HEAD + i).split(" ");
      lost.add(place.length < 2 ? null : LogPosition.parse(place[0], Long.parseLong(place[1])));
    }
    List<LogEntry> entries = new ArrayList<>();
    for (int i = HEAD + topics.size(); i < reply.size(); i += EACH) {
      entries.add(
          new LogEntry(
              partition.index(),
              LogPosition.parse(reply.text(i + 1), reply.number(i + 2)),
              topics.get((int) reply.number(i) - 1),
              reply.text(i + 4),
              reply.text(i + 5),
              reply.bytes(i + 6),
              reply.number(i + 3)));
    }
    LogPosition begins =
        reply.text(2).isEmpty()
            ? LogPosition.parse(reply.text(4), reply.number(5))
            : LogPosition.parse(reply.text(2), reply.number(3)).before();
    return new Row(entries, lost, begins, reply.number(1));
  }
}
