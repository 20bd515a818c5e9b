package dev.troupe.server.task;

import com.google.inject.Inject;
import com.google.inject.Singleton;
import dev.troupe.server.log.EntryWaits;
import dev.troupe.server.log.LogEntry;
import dev.troupe.server.log.PartitionLogs;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Wakes those who wait for a task to end. Thread-safe. */
@Singleton
final class TaskEndings {

  private static final Set<String> ENDS =
      Set.of("task.completed", "task.dead", "task.cancelled", "task.quarantined", "task.purged");

  private final EntryWaits waits;

  @Inject
  TaskEndings(PartitionLogs logs) {
    this.waits = new EntryWaits(logs, TaskEndings::endedTask);
  }

  private static @Nullable String endedTask(LogEntry entry) {
    return ENDS.contains(entry.type()) ? entry.subject() : null;
  }

  /** Waits for a task to end; whether it did is to be seen by looking at it. */
  EntryWaits.Waiting await(QueueId queue, String taskId) {
    return waits.await(queue.partition(), queue.name() + "/" + taskId);
  }
}
