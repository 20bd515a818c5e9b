package dev.troupe.server.log;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import dev.troupe.server.log.PartitionLogs.LogHead;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.RedisClients;
import dev.troupe.server.redis.Reply;
import dev.troupe.server.redis.Script;
import dev.troupe.server.redis.ScriptRunner;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.redisson.api.RStream;
import org.redisson.api.RedissonClient;
import org.redisson.api.stream.StreamMessageId;
import org.redisson.api.stream.StreamRangeArgs;
import org.redisson.api.stream.StreamReadArgs;
import org.redisson.client.codec.ByteArrayCodec;
import org.redisson.client.codec.StringCodec;
import org.redisson.codec.CompositeCodec;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the log of a partition from Redis, always from the master. Every call is one round trip and
 * fails when Redis is away; nothing is repeated here. Thread-safe.
 */
final class LogStore {

  private static final Logger log = LoggerFactory.getLogger(LogStore.class);
  private static final Script SEEK = Script.load("log/seek");
  private static final Script TRIM = Script.load("log/trim");
  private static final CompositeCodec CODEC =
      new CompositeCodec(StringCodec.INSTANCE, ByteArrayCodec.INSTANCE);

  private final RedisClients clients;
  private final ScriptRunner scripts;

  /** Reads through the given clients. */
  LogStore(RedisClients clients, ScriptRunner scripts) {
    this.clients = clients;
    this.scripts = scripts;
  }

  /**
   * The end of a log and what follows a position in it, seen at one moment.
   *
   * @param head the newest position and the epoch
   * @param follows position of the first entry kept after the one asked for, or null
   * @param nowMillis the time then
   */
  record Sight(LogHead head, @Nullable LogPosition follows, long nowMillis) {}

  /** The end of the log. */
  CompletionStage<LogHead> head(Partition partition) {
    return seek(partition, "").thenApply(Sight::head);
  }

  /** The end of the log and what follows a position. */
  CompletionStage<Sight> sight(Partition partition, LogPosition after) {
    return seek(partition, after.id());
  }

  private CompletionStage<Sight> seek(Partition partition, String after) {
    return scripts
        .run(SEEK, partition, after)
        .thenApply(
            elements -> {
              Reply reply = new Reply(elements);
              LogPosition newest = LogPosition.parse(reply.text(3), reply.number(2));
              String follows = reply.text(4);
              return new Sight(
                  new LogHead(newest, reply.number(1)),
                  follows.isEmpty() ? null : LogPosition.parse(follows, reply.number(5)),
                  reply.number(6));
            });
  }

  /** Entries after a position, at most so many; empty at the end. */
  CompletionStage<List<LogEntry>> range(Partition partition, LogPosition after, int count) {
    return stream(clients.commands(), partition)
        .rangeAsync(
            StreamRangeArgs.startIdExclusive(id(after)).endId(StreamMessageId.MAX).count(count))
        .thenApply(found -> entries(partition, found));
  }

  /** Entries before a position, the newest first, at most so many; empty at the beginning. */
  CompletionStage<List<LogEntry>> rangeBack(Partition partition, LogPosition before, int count) {
    return stream(clients.commands(), partition)
        .rangeReversedAsync(
            StreamRangeArgs.startIdExclusive(id(before)).endId(StreamMessageId.MIN).count(count))
        .thenApply(found -> entries(partition, found));
  }

  /**
   * Entries after a position, but waits for one up to the given time. Holds a connection meanwhile.
   */
  CompletionStage<List<LogEntry>> await(
      Partition partition, LogPosition after, int count, Duration patience) {
    return stream(clients.blocking(), partition)
        .readAsync(StreamReadArgs.greaterThan(id(after)).count(count).timeout(patience))
        .thenApply(found -> entries(partition, found));
  }

  /** Drops entries beyond a number or an age, about; returns how many. */
  CompletionStage<Long> trim(Partition partition, long maxEntries, Duration maxAge) {
    return scripts
        .run(TRIM, partition, maxEntries, maxAge.toMillis())
        .thenApply(elements -> new Reply(elements).number(1));
  }

  private static RStream<String, byte[]> stream(RedissonClient client, Partition partition) {
    return client.getStream(new String(partition.logKey(), UTF_8), CODEC);
  }

  private static StreamMessageId id(LogPosition position) {
    return new StreamMessageId(position.millis(), position.order());
  }

  private static List<LogEntry> entries(
      Partition partition, Map<StreamMessageId, Map<String, byte[]>> raw) {
    List<LogEntry> entries = new ArrayList<>(raw.size());
    raw.forEach(
        (id, fields) -> {
          byte[] sequence = fields.get("s");
          if (sequence == null) {
            // Only scripts of ours write here; whoever else did must not stop the readers.
            log.warn("a foreign entry in a log is skipped: {}", id);
            return;
          }
          LogPosition position =
              new LogPosition(
                  id.getId0(), id.getId1(), Long.parseLong(new String(sequence, UTF_8)));
          entries.add(
              new LogEntry(
                  partition.index(),
                  position,
                  text(fields.get("t")),
                  text(fields.get("y")),
                  text(fields.get("u")),
                  bytes(fields.get("d")),
                  number(fields.get("q"))));
        });
    return entries;
  }

  private static String text(byte @Nullable [] bytes) {
    return bytes == null ? "" : new String(bytes, UTF_8);
  }

  private static long number(byte @Nullable [] bytes) {
    return bytes == null ? 0 : Long.parseLong(new String(bytes, UTF_8));
  }

  private static ByteString bytes(byte @Nullable [] bytes) {
    return bytes == null ? ByteString.EMPTY : UnsafeByteOperations.unsafeWrap(bytes);
  }
}
