package dev.troupe.server.memory;

import com.google.inject.Inject;
import dev.troupe.server.lifecycle.Lifecycle;
import dev.troupe.server.lifecycle.Service;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Has the indexes dumped from time to time, one after the other, and before the server stops. */
final class IndexSaving implements Service {

  private static final Logger log = LoggerFactory.getLogger(IndexSaving.class);
  private static final Duration LONGEST_ROUND = Duration.ofSeconds(10);

  private final MemoryIndexes indexes;
  private final IndexDumps dumps;
  private final Duration round;
  private final ScheduledExecutorService thread =
      Executors.newSingleThreadScheduledExecutor(
          runnable -> {
            Thread thread = new Thread(runnable, "memory-dump");
            thread.setDaemon(true);
            return thread;
          });

  /** Registers behind the indexes, so that it stops before they do. */
  @Inject
  IndexSaving(MemoryIndexes indexes, IndexDumps dumps, MemoryConfig config, Lifecycle lifecycle) {
    this.indexes = indexes;
    this.dumps = dumps;
    Duration interval = config.indexSaveInterval();
    round = interval.compareTo(LONGEST_ROUND) < 0 ? interval : LONGEST_ROUND;
    lifecycle.register("memory-saving", this);
  }

  @Override
  public CompletionStage<?> start() {
    if (dumps.areKept()) {
      thread.scheduleWithFixedDelay(
          () -> saveAll(false), round.toNanos(), round.toNanos(), TimeUnit.NANOSECONDS);
    }
    return CompletableFuture.completedFuture(null);
  }

  private void saveAll(boolean last) {
    for (IndexSaver saver : indexes.savers()) {
      try {
        saver.save(last);
      } catch (RuntimeException e) {
        log.error("an index cannot be kept on the disk", e);
      }
    }
  }

  @Override
  public CompletionStage<?> stop(Duration grace) {
    CompletionStage<?> saved = CompletableFuture.runAsync(() -> saveAll(true), thread);
    thread.shutdown();
    return saved;
  }
}
