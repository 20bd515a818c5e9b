package dev.troupe.server.memory;

import com.google.common.base.Ticker;
import com.google.inject.Inject;
import dev.troupe.server.lifecycle.Lifecycle;
import dev.troupe.server.lifecycle.Service;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Has the indexes dumped from time to time, one after the other, and before the server stops. */
final class IndexSaving implements Service {

  private static final Logger log = LoggerFactory.getLogger(IndexSaving.class);
  private static final Duration LONGEST_ROUND = Duration.ofSeconds(10);

  private final MemoryIndexes indexes;
  private final IndexDumps dumps;
  private final Ticker ticker;
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
  IndexSaving(
      MemoryIndexes indexes,
      IndexDumps dumps,
      MemoryConfig config,
      Ticker ticker,
      Lifecycle lifecycle) {
    this.ticker = ticker;
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
          () -> saveAll(IndexSaver::save), round.toNanos(), round.toNanos(), TimeUnit.NANOSECONDS);
    }
    return CompletableFuture.completedFuture(null);
  }

  /** Nothing that goes wrong with one may keep the others from being saved, then or later. */
  private void saveAll(Consumer<IndexSaver> save) {
    for (IndexSaver saver : indexes.savers()) {
      try {
        save.accept(saver);
      } catch (RuntimeException | Error e) {
        log.error("an index cannot be kept on the disk", e);
      }
    }
  }

  @Override
  public CompletionStage<?> stop(Duration grace) {
    long end = ticker.read() + grace.toNanos();
    CompletionStage<?> saved =
        CompletableFuture.runAsync(
            () -> saveAll(saver -> saver.saveLast(Duration.ofNanos(end - ticker.read()))), thread);
    thread.shutdown();
    return saved;
  }
}
