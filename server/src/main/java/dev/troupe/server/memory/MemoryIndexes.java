package dev.troupe.server.memory;

import com.google.common.base.Ticker;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import com.google.inject.Inject;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.lifecycle.Lifecycle;
import dev.troupe.server.lifecycle.Service;
import dev.troupe.server.log.PartitionLogs;
import dev.troupe.server.redis.Namespaces;
import dev.troupe.server.redis.Partition;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.IndexState;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The indexes of this server. When it starts it loads, in the background, the partitions that have
 * memory spaces; another one when it is first searched. From then on each follows its log, which
 * takes a connection: of more than {@value #MOST_FOLLOWED} the one not searched for longest is let
 * go, and loaded anew when it is searched again. Where there is a dump, that is read, and the log
 * from there on.
 */
final class MemoryIndexes implements Service {

  private static final Logger log = LoggerFactory.getLogger(MemoryIndexes.class);
  private static final int MOST_THREADS = 8;

  /** Half of the connections that all who follow logs have. */
  private static final int MOST_FOLLOWED = 128;

  private static final int MOST_WAITING = 1024;
  private static final Duration TRY_AGAIN = Duration.ofMillis(100);

  private final IndexReads reads;
  private final SpaceStore store;
  private final PartitionLogs logs;
  private final Namespaces namespaces;
  private final RedisClock clock;
  private final IndexDumps dumps;
  private final MemoryConfig config;
  private final Ticker ticker;
  private final ScheduledExecutorService writer =
      Executors.newSingleThreadScheduledExecutor(threads("memory-index"));
  private final ExecutorService background =
      Executors.newSingleThreadExecutor(threads("memory-text"));
  private final ThreadPoolExecutor searchers;

  /** In the order of their last use. */
  @GuardedBy("this")
  private final Map<Partition, Followed> partitions = new LinkedHashMap<>(16, 0.75f, true);

  private record Followed(PartitionIndex index, IndexSaver saver) {}

  @Inject
  MemoryIndexes(
      IndexReads reads,
      SpaceStore store,
      PartitionLogs logs,
      Namespaces namespaces,
      RedisClock clock,
      IndexDumps dumps,
      MemoryConfig config,
      Ticker ticker,
      Lifecycle lifecycle) {
    this.reads = reads;
    this.store = store;
    this.logs = logs;
    this.namespaces = namespaces;
    this.clock = clock;
    this.dumps = dumps;
    this.config = config;
    this.ticker = ticker;
    int size = Math.min(MOST_THREADS, Runtime.getRuntime().availableProcessors());
    this.searchers =
        new ThreadPoolExecutor(
            size,
            size,
            1,
            TimeUnit.MINUTES,
            new ArrayBlockingQueue<>(MOST_WAITING),
            threads("memory-search"));
    lifecycle.register("memory-index", this);
  }

  private static ThreadFactory threads(String name) {
    AtomicInteger number = new AtomicInteger();
    return runnable -> {
      Thread thread = new Thread(runnable, name + "-" + number.incrementAndGet());
      thread.setDaemon(true);
      return thread;
    };
  }

  @Override
  public CompletionStage<?> start() {
    namespaces
        .known()
        .thenAccept(
            names ->
                names.forEach(
                    name ->
                        namespaces.partitions(name).thenAccept(all -> all.forEach(this::begin))))
        .whenComplete(
            (done, failure) -> {
              if (failure != null) {
                log.warn("memory is indexed when it is first searched", failure);
              }
            });
    return CompletableFuture.completedFuture(null);
  }

  private void begin(Partition partition) {
    store
        .names(partition, "", "", 1)
        .thenAccept(
            names -> {
              if (!names.isEmpty() && hasRoom()) {
                of(partition);
              }
            });
  }

  @Override
  public CompletionStage<?> stop(Duration grace) {
    List<Followed> all;
    synchronized (this) {
      all = List.copyOf(partitions.values());
    }
    all.forEach(followed -> followed.index().close());
    writer.shutdown();
    background.shutdown();
    searchers.shutdown();
    return CompletableFuture.completedFuture(null);
  }

  /** Sees to it that a partition is indexed from now on. */
  void follow(Partition partition) {
    PartitionIndex unused = of(partition);
  }

  /** Of all partitions that are followed now. */
  synchronized List<IndexSaver> savers() {
    return partitions.values().stream().map(Followed::saver).toList();
  }

  /** The index of a partition, which begins to load if it did not yet. */
  PartitionIndex of(Partition partition) {
    Followed made;
    Followed unused = null;
    synchronized (this) {
      Followed there = partitions.get(partition);
      if (there != null) {
        return there.index();
      }
      if (partitions.size() == MOST_FOLLOWED) {
        unused = partitions.remove(partitions.keySet().iterator().next());
      }
      made = newIndex(partition);
      partitions.put(partition, made);
    }
    if (unused != null) {
      unused.index().close();
    }
    made.index().load();
    return made.index();
  }

  private Followed newIndex(Partition partition) {
    FullLoad full = new FullLoad(partition, reads, store, writer, background);
    PartitionIndex index =
        new PartitionIndex(partition, reads, full, dumps, logs, clock, writer, background);
    return new Followed(
        index, new IndexSaver(partition, index, dumps, config.indexSaveInterval(), ticker));
  }

  private synchronized boolean hasRoom() {
    return partitions.size() < MOST_FOLLOWED;
  }

  /** How far the index of a space is, which has so many items. */
  IndexState state(Partition partition, String space, long items) {
    PartitionIndex index = of(partition);
    IndexedSpace indexed = index.space(space);
    return IndexState.newBuilder()
        .setReady(index.isReady())
        .setItemsLoaded(indexed == null ? 0 : indexed.index().size())
        .setItemsTotal(indexed == null ? items : indexed.total())
        .setRevision(index.revision())
        .build();
  }

  /** Runs a search on a thread that may be busy for a while. */
  <T> CompletionStage<T> search(Supplier<T> search) {
    try {
      return CompletableFuture.supplyAsync(search, searchers);
    } catch (RejectedExecutionException full) {
      return CompletableFuture.failedFuture(
          TroupeException.retryable(
              ErrorReason.ERROR_REASON_OVERLOADED,
              "too many searches wait; nothing was done",
              TRY_AGAIN,
              null));
    }
  }
}
