package dev.troupe.server.task;

import com.google.inject.Inject;
import com.google.inject.Singleton;
import dev.troupe.server.log.LogEntry;
import dev.troupe.server.log.LogReader;
import dev.troupe.server.log.PartitionLogs;
import dev.troupe.server.redis.Partition;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Wakes those who wait for a task to end, by the partition's log: one reader per partition, however
 * many wait. The log is read from a position that was taken before the caller looked at the task,
 * so no ending falls between the two. Thread-safe.
 */
@Singleton
final class TaskEndings {

  private static final Logger log = LoggerFactory.getLogger(TaskEndings.class);
  private static final int PAGE = 512;
  private static final Set<String> ENDS =
      Set.of("task.completed", "task.dead", "task.cancelled", "task.quarantined", "task.purged");

  private final PartitionLogs logs;
  private final Map<Partition, Watch> watches = new HashMap<>();

  @Inject
  TaskEndings(PartitionLogs logs) {
    this.logs = logs;
  }

  /** Those who wait in one partition. */
  private static final class Watch {
    final CompletionStage<LogReader> reader;
    final Map<String, List<CompletableFuture<@Nullable Void>>> waiting = new HashMap<>();

    Watch(CompletionStage<LogReader> reader) {
      this.reader = reader;
    }
  }

  /** A place among those who wait. */
  record Waiting(
      CompletableFuture<@Nullable Void> ended, CompletionStage<LogReader> ready, Runnable leave) {}

  /**
   * Waits for a task to end.
   *
   * @return {@code ready} completes when an ending from now on is sure to be seen: look at the task
   *     after that; {@code ended} completes when it may have ended
   */
  Waiting await(QueueId queue, String taskId) {
    String subject = queue.name() + "/" + taskId;
    CompletableFuture<@Nullable Void> ended = new CompletableFuture<>();
    Watch watch;
    boolean isNew;
    synchronized (this) {
      Watch there = watches.get(queue.partition());
      isNew = there == null;
      watch = there == null ? new Watch(open(queue.partition())) : there;
      watches.put(queue.partition(), watch);
      watch.waiting.computeIfAbsent(subject, s -> new ArrayList<>()).add(ended);
    }
    if (isNew) {
      watch.reader.whenComplete(
          (reader, failure) -> {
            if (failure != null) {
              abandon(queue.partition(), watch);
            } else {
              follow(queue.partition(), watch, reader);
            }
          });
    }
    return new Waiting(ended, watch.reader, () -> leave(queue.partition(), watch, subject, ended));
  }

  private CompletionStage<LogReader> open(Partition partition) {
    return logs.head(partition)
        .thenApply(head -> logs.open(partition, head.position(), head.epoch()));
  }

  private void follow(Partition partition, Watch watch, LogReader reader) {
    reader
        .next(PAGE)
        .whenComplete(
            (page, failure) -> {
              if (failure != null) {
                log.warn("the log of {} cannot be followed", partition, failure);
                abandon(partition, watch);
                return;
              }
              List<CompletableFuture<@Nullable Void>> woken = new ArrayList<>();
              boolean over;
              synchronized (this) {
                over = watches.get(partition) != watch;
                // After a gap anything may have ended.
                if (page.missed() != 0 || page.epochChanged()) {
                  watch.waiting.values().forEach(woken::addAll);
                }
                for (LogEntry entry : page.entries()) {
                  if (ENDS.contains(entry.type())) {
                    woken.addAll(watch.waiting.getOrDefault(entry.subject(), List.of()));
                  }
                }
              }
              woken.forEach(one -> one.complete(null));
              if (!over) {
                follow(partition, watch, reader);
              }
            });
  }

  private void abandon(Partition partition, Watch watch) {
    List<CompletableFuture<@Nullable Void>> woken = new ArrayList<>();
    synchronized (this) {
      watches.remove(partition, watch);
      watch.waiting.values().forEach(woken::addAll);
    }
    woken.forEach(one -> one.complete(null));
  }

  private void leave(
      Partition partition, Watch watch, String subject, CompletableFuture<@Nullable Void> ended) {
    boolean last;
    synchronized (this) {
      List<CompletableFuture<@Nullable Void>> others = watch.waiting.get(subject);
      if (others != null) {
        others.remove(ended);
        if (others.isEmpty()) {
          watch.waiting.remove(subject);
        }
      }
      last = watch.waiting.isEmpty() && watches.remove(partition, watch);
    }
    if (last) {
      watch.reader.thenAccept(LogReader::close);
    }
  }
}
