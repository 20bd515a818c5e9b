package dev.troupe.server.log;

import com.google.common.base.Ticker;
import com.google.protobuf.ByteString;
import dev.troupe.server.log.PartitionLogs.LogHead;
import dev.troupe.server.redis.Partition;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;

/** A tail that does not read: what comes to its ring, a test says. */
final class TailWithoutRedis implements AutoCloseable {

  static final long EPOCH = 7;
  private static final Partition PARTITION = new Partition("test", 0, 1);

  final ScheduledExecutorService executor = Executors.newSingleThreadScheduledExecutor();
  final PartitionTail tail;

  @SuppressWarnings("NullAway") // Redis is not asked for anything.
  private final LogStore store = new LogStore(null, null);

  /**
   * With an empty ring.
   *
   * @param ringBytes how much of the log it may hold
   */
  TailWithoutRedis(long ringBytes) {
    tail =
        new PartitionTail(
            PARTITION,
            store,
            executor,
            () -> ringBytes,
            Duration.ofSeconds(5),
            Ticker.systemTicker(),
            end -> {});
  }

  /** Begins the ring behind the entry of that number; there is none of number 0. */
  void beginBehind(int entry, long epoch) {
    tail.replaceRing(new LogHead(position(entry), epoch));
  }

  PartitionReader reader(LogPosition from, long epoch) {
    CatchUpGate gate = new CatchUpGate(1, executor);
    return new PartitionReader(PARTITION, tail, store, null, gate, executor, from, epoch, 0);
  }

  static LogPosition position(int entry) {
    return new LogPosition(10 + entry, 0, entry);
  }

  static LogEntry entry(int number) {
    return new LogEntry(0, position(number), "topic", "type", "", ByteString.EMPTY, 0);
  }

  @Override
  public void close() {
    executor.shutdownNow();
  }
}
