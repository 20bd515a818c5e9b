package dev.troupe.server.task;

import com.google.protobuf.util.Durations;
import dev.troupe.v1.Attempt;
import dev.troupe.v1.TaskChange;
import dev.troupe.v1.TaskChangeKind;
import dev.troupe.v1.TaskSpec;
import dev.troupe.v1.TaskState;

/**
 * What the server knows beforehand of the log entries that every task makes. The scripts append the
 * fields that only they know: Protobuf lets encoded messages be strung together, and building one
 * in Lua takes longer than the commands around it.
 */
final class TaskChanges {

  private TaskChanges() {}

  /** The whole change. */
  static byte[] enqueued(String queue, TaskSpec task) {
    return TaskChange.newBuilder()
        .setKind(TaskChangeKind.TASK_CHANGE_KIND_ENQUEUED)
        .setQueue(queue)
        .setTaskId(task.getTaskId())
        .setState(
            Durations.toMicros(task.getDelay()) > 0
                ? TaskState.TASK_STATE_DELAYED
                : TaskState.TASK_STATE_READY)
        .build()
        .toByteArray();
  }

  /** Without the task, its token and the worker, which come out of the queue. */
  static byte[] leased(String queue) {
    return TaskChange.newBuilder()
        .setKind(TaskChangeKind.TASK_CHANGE_KIND_LEASED)
        .setQueue(queue)
        .setState(TaskState.TASK_STATE_LEASED)
        .build()
        .toByteArray();
  }

  /** Without the worker, which the store knows from the lease. */
  static byte[] completed(String queue, Attempt attempt) {
    return TaskChange.newBuilder()
        .setKind(TaskChangeKind.TASK_CHANGE_KIND_COMPLETED)
        .setQueue(queue)
        .setTaskId(attempt.getTaskId())
        .setState(TaskState.TASK_STATE_SUCCEEDED)
        .setFencingToken(attempt.getFencingToken())
        .build()
        .toByteArray();
  }
}
