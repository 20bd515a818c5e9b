package dev.troupe.server.log;

import com.google.common.base.Ticker;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.RedisClients;
import dev.troupe.server.redis.ScriptRunner;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;

/** The logs as Redis streams. Thread-safe. */
public final class RedisPartitionLogs implements PartitionLogs, AutoCloseable {

  private static final Duration LINGER = Duration.ofSeconds(5);
  private static final int CATCHING_UP = 16;

  /** Counters within a millisecond do not get near it, and it fits into a token. */
  private static final long LAST_OF_MILLISECOND = 0xFFFFFFFFL;

  private final LogStore store;
  private final LogConfig config;
  private final ScheduledExecutorService executor;
  private final Ticker ticker;
  private final CatchUpGate gate;
  private final Map<Partition, PartitionTail> tails = new ConcurrentHashMap<>();

  /**
   * Reads nothing before the first reader is opened.
   *
   * @param clients of which the tails hold one connection each
   * @param executor wakes readers, and so runs what is attached to their pages; must not be blocked
   */
  public RedisPartitionLogs(
      RedisClients clients,
      ScriptRunner scripts,
      LogConfig config,
      ScheduledExecutorService executor,
      Ticker ticker) {
    this.store = new LogStore(clients, scripts);
    this.config = config;
    this.executor = executor;
    this.ticker = ticker;
    this.gate = new CatchUpGate(CATCHING_UP, executor);
  }

  @Override
  public CompletionStage<LogHead> head(Partition partition) {
    return store.head(partition);
  }

  @Override
  public CompletionStage<LogHead> before(Partition partition, long millis) {
    // The place right before the first id of that millisecond.
    LogPosition time =
        millis <= 0 ? LogPosition.BEGINNING : new LogPosition(millis - 1, LAST_OF_MILLISECOND, -1);
    return store
        .sight(partition, time)
        .thenApply(
            sight -> {
              LogHead head = sight.head();
              LogPosition follows = sight.follows();
              if (follows != null) {
                return new LogHead(time.withSequence(follows.sequence() - 1), head.epoch());
              }
              return time.compareTo(head.position()) > 0 ? new LogHead(time, head.epoch()) : head;
            });
  }

  @Override
  public LogReader open(Partition partition, LogPosition after, long epoch) {
    while (true) {
      PartitionTail tail = tails.computeIfAbsent(partition, this::newTail);
      if (tail.retain()) {
        tail.start();
        return new PartitionReader(partition, tail, store, gate, executor, after, epoch);
      }
      // It ended between being found and being asked; its successor takes its place.
      tails.remove(partition, tail);
    }
  }

  private PartitionTail newTail(Partition partition) {
    return new PartitionTail(
        partition,
        store,
        executor,
        config.ringBytes().bytes(),
        LINGER,
        ticker,
        tail -> tails.remove(partition, tail));
  }

  LogStore store() {
    return store;
  }

  /** How many partitions are being read. */
  public int tails() {
    return tails.size();
  }

  /** Ends all tails. Readers are to be closed by those who opened them. */
  @Override
  public void close() {
    tails.values().forEach(PartitionTail::end);
  }
}
