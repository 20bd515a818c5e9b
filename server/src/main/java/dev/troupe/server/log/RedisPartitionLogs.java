package dev.troupe.server.log;

import com.google.common.base.Ticker;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.RedisClients;
import dev.troupe.server.redis.ScriptRunner;
import dev.troupe.server.redis.StoreFailures;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The logs as Redis streams. Thread-safe. */
public final class RedisPartitionLogs implements PartitionLogs, AutoCloseable {

  private static final Duration LINGER = Duration.ofSeconds(5);
  private static final int CATCHING_UP = 16;

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
    LogPosition time = LogPosition.startOf(millis);
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
  public CompletionStage<Until> until(Partition partition, long millis) {
    LogPosition time = LogPosition.startOf(millis);
    return store
        .sight(partition, time)
        .thenApply(
            sight -> {
              if (sight.nowMillis() < millis) {
                return new Until(null, millis - sight.nowMillis());
              }
              LogPosition follows = sight.follows();
              LogPosition head = sight.head().position();
              if (follows != null) {
                return new Until(time.withSequence(follows.sequence() - 1), 0);
              }
              return new Until(time.compareTo(head) > 0 ? head : time, 0);
            });
  }

  @Override
  public CompletionStage<List<LogEntry>> back(
      Partition partition, LogPosition before, int count, @Nullable OlderEntries older) {
    CompletableFuture<List<LogEntry>> page = new CompletableFuture<>();
    gate.enter(
        () ->
            started(() -> rangeBack(partition, before, count, older))
                .whenComplete(
                    (entries, failure) -> {
                      gate.leave();
                      if (failure != null) {
                        page.completeExceptionally(StoreFailures.ofRead("reading a log", failure));
                      } else {
                        page.complete(entries);
                      }
                    }));
    return page;
  }

  private CompletionStage<List<LogEntry>> rangeBack(
      Partition partition, LogPosition before, int count, @Nullable OlderEntries older) {
    CompletionStage<List<LogEntry>> page = store.rangeBack(partition, before, count);
    return older == null
        ? page
        : page.thenCompose(entries -> entries.isEmpty() ? older.before(before, count) : page);
  }

  /** A call that is refused at once must give its place back like any other. */
  private static <T> CompletionStage<T> started(Supplier<CompletionStage<T>> call) {
    try {
      return call.get();
    } catch (RuntimeException refused) {
      return CompletableFuture.failedFuture(refused);
    }
  }

  @Override
  public LogReader open(
      Partition partition, LogPosition after, long epoch, @Nullable OlderEntries older) {
    while (true) {
      PartitionTail tail = tails.computeIfAbsent(partition, this::newTail);
      if (tail.retain()) {
        // Before it starts, so that the first reader waits for the first look only.
        long look = tail.nextLook();
        tail.start();
        return new PartitionReader(
            partition, tail, store, older, gate, executor, after, epoch, look);
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
        this::ringShare,
        LINGER,
        ticker,
        tail -> tails.remove(partition, tail));
  }

  /** What one ring may take: no more than its own bound, nor than its share of that of all. */
  private long ringShare() {
    long share = config.totalRingBytes().bytes() / Math.max(1, tails.size());
    return Math.max(LogConfig.LEAST_RING_BYTES, Math.min(config.ringBytes().bytes(), share));
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
