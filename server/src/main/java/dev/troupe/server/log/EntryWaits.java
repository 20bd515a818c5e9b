package dev.troupe.server.log;

import dev.troupe.server.log.LogReader.Page;
import dev.troupe.server.redis.Partition;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Wakes those who wait for something to happen, by the partition's log: one reader per partition,
 * however many wait, and none when nobody does. The log is read from a position that was taken
 * before the caller looks at the data, so nothing falls between the two. Thread-safe.
 */
public final class EntryWaits {

  private static final Logger log = LoggerFactory.getLogger(EntryWaits.class);
  private static final int PAGE = 512;

  private final PartitionLogs logs;
  private final Function<LogEntry, @Nullable String> keyOf;
  private final Map<Partition, Watch> watches = new HashMap<>();

  /**
   * Nobody waits yet.
   *
   * @param keyOf whom an entry wakes: those who wait for this key; null for nobody
   */
  public EntryWaits(PartitionLogs logs, Function<LogEntry, @Nullable String> keyOf) {
    this.logs = logs;
    this.keyOf = keyOf;
  }

  /** Those who wait in one partition. */
  private static final class Watch {
    final CompletionStage<LogReader> reader;
    final Map<String, List<CompletableFuture<@Nullable Void>>> waiting = new HashMap<>();

    Watch(CompletionStage<LogReader> reader) {
      this.reader = reader;
    }
  }

  /**
   * A place among those who wait.
   *
   * @param woken completes when it may have happened: by an entry, or because entries are missing
   * @param ready completes when an entry from now on is sure to be seen: look at the data then
   * @param leave to be run when it is no longer waited for
   */
  public record Waiting(
      CompletableFuture<@Nullable Void> woken, CompletionStage<?> ready, Runnable leave) {}

  /** Waits for the next entry with a key. */
  public Waiting await(Partition partition, String key) {
    CompletableFuture<@Nullable Void> woken = new CompletableFuture<>();
    Watch watch;
    boolean isNew;
    synchronized (this) {
      Watch there = watches.get(partition);
      isNew = there == null;
      watch = there == null ? new Watch(open(partition)) : there;
      watches.put(partition, watch);
      watch.waiting.computeIfAbsent(key, k -> new ArrayList<>()).add(woken);
    }
    if (isNew) {
      watch.reader.whenComplete(
          (reader, failure) -> {
            if (failure != null) {
              abandon(partition, watch);
            } else {
              follow(partition, watch, reader);
            }
          });
    }
    return new Waiting(woken, watch.reader, () -> leave(partition, watch, key, woken));
  }

  private CompletionStage<LogReader> open(Partition partition) {
    return logs.head(partition)
        .thenApply(head -> logs.open(partition, head.position(), head.epoch()));
  }

  private void follow(Partition partition, Watch watch, LogReader reader) {
    reader
        .next(PAGE)
        .thenApply(page -> wake(partition, watch, page))
        .whenComplete(
            (over, failure) -> {
              if (failure != null) {
                log.warn("the log of {} cannot be followed", partition, failure);
                abandon(partition, watch);
              } else if (!over) {
                follow(partition, watch, reader);
              }
            });
  }

  /** Wakes those whom a page concerns, and says whether nobody waits any more. */
  private boolean wake(Partition partition, Watch watch, Page page) {
    List<CompletableFuture<@Nullable Void>> woken = new ArrayList<>();
    boolean over;
    synchronized (this) {
      over = watches.get(partition) != watch;
      // After a gap anything may have happened.
      if (page.missed() != 0 || page.epochChanged()) {
        watch.waiting.values().forEach(woken::addAll);
      }
      for (LogEntry entry : page.entries()) {
        String key = keyOf.apply(entry);
        if (key != null) {
          woken.addAll(watch.waiting.getOrDefault(key, List.of()));
        }
      }
    }
    woken.forEach(one -> one.complete(null));
    return over;
  }

  /** All who wait look for themselves; whoever comes next reads anew. */
  private void abandon(Partition partition, Watch watch) {
    List<CompletableFuture<@Nullable Void>> woken = new ArrayList<>();
    boolean mine;
    synchronized (this) {
      mine = watches.remove(partition, watch);
      watch.waiting.values().forEach(woken::addAll);
    }
    if (mine) {
      watch.reader.thenAccept(LogReader::close);
    }
    woken.forEach(one -> one.complete(null));
  }

  private void leave(
      Partition partition, Watch watch, String key, CompletableFuture<@Nullable Void> woken) {
    boolean last;
    synchronized (this) {
      List<CompletableFuture<@Nullable Void>> others = watch.waiting.get(key);
      if (others != null) {
        others.remove(woken);
        if (others.isEmpty()) {
          watch.waiting.remove(key);
        }
      }
      last = watch.waiting.isEmpty() && watches.remove(partition, watch);
    }
    if (last) {
      watch.reader.thenAccept(LogReader::close);
    }
  }
}
