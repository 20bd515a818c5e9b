package dev.troupe.client;

import com.google.protobuf.util.Durations;
import dev.troupe.v1.CancelTaskRequest;
import dev.troupe.v1.CancelTaskResponse;
import dev.troupe.v1.ConfigureQueueRequest;
import dev.troupe.v1.ConfigureQueueResponse;
import dev.troupe.v1.DrainQueueRequest;
import dev.troupe.v1.DrainQueueResponse;
import dev.troupe.v1.EnqueueBatchRequest;
import dev.troupe.v1.EnqueueBatchResponse;
import dev.troupe.v1.EnqueueRequest;
import dev.troupe.v1.EnqueueResponse;
import dev.troupe.v1.EnqueueResult;
import dev.troupe.v1.GetQueueRequest;
import dev.troupe.v1.GetQueueResponse;
import dev.troupe.v1.GetTaskRequest;
import dev.troupe.v1.GetTaskResponse;
import dev.troupe.v1.ListTasksRequest;
import dev.troupe.v1.ListTasksResponse;
import dev.troupe.v1.PauseQueueRequest;
import dev.troupe.v1.PauseQueueResponse;
import dev.troupe.v1.PurgeQueueRequest;
import dev.troupe.v1.PurgeQueueResponse;
import dev.troupe.v1.Queue;
import dev.troupe.v1.QueueSettings;
import dev.troupe.v1.RedriveTasksRequest;
import dev.troupe.v1.RedriveTasksResponse;
import dev.troupe.v1.ResumeQueueRequest;
import dev.troupe.v1.ResumeQueueResponse;
import dev.troupe.v1.Task;
import dev.troupe.v1.TaskQueueServiceGrpc;
import dev.troupe.v1.TaskSpec;
import dev.troupe.v1.TaskState;
import dev.troupe.v1.WaitTaskRequest;
import dev.troupe.v1.WaitTaskResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * Task queues, asynchronously. A future fails with {@link TroupeClientException}; cancelling it
 * cancels the call. Limits, defaults and errors are those of {@code TaskQueueService}.
 */
public final class TaskClient {

  /** One call waits this long at most, so that a lost connection is noticed and another tried. */
  private static final Duration WAIT_ROUND = Duration.ofSeconds(30);

  private static final int BATCH_TASKS = 1_000;
  private static final int BATCH_BYTES = 3 << 20;

  private final ClientRuntime runtime;

  TaskClient(ClientRuntime runtime) {
    this.runtime = runtime;
  }

  /** Adds one task, once, however often the call has to be repeated on the way. */
  public CompletableFuture<EnqueueResponse> enqueue(String queue, TaskSpec task) {
    return enqueue(EnqueueRequest.newBuilder().setQueue(queue).setTask(task).build());
  }

  /** The same with all that the contract offers. */
  public CompletableFuture<EnqueueResponse> enqueue(EnqueueRequest request) {
    return runtime.call(TaskQueueServiceGrpc.getEnqueueMethod(), request);
  }

  /**
   * Adds any number of tasks, in batches that the server takes, one after the other. Results are in
   * the order of the tasks. When a batch fails as a whole the future fails, and earlier batches
   * stay: tasks with ids of their own can be sent again as they are.
   */
  public CompletableFuture<List<EnqueueResult>> enqueueAll(String queue, List<TaskSpec> tasks) {
    CompletableFuture<List<EnqueueResult>> results =
        CompletableFuture.completedFuture(new ArrayList<>(tasks.size()));
    for (List<TaskSpec> batch : batches(tasks)) {
      EnqueueBatchRequest request =
          EnqueueBatchRequest.newBuilder().setQueue(queue).addAllTasks(batch).build();
      results =
          results.thenCompose(
              all ->
                  runtime
                      .call(TaskQueueServiceGrpc.getEnqueueBatchMethod(), request)
                      .thenApply(EnqueueBatchResponse::getResultsList)
                      .thenApply(
                          some -> {
                            all.addAll(some);
                            return all;
                          }));
    }
    return results;
  }

  private static List<List<TaskSpec>> batches(List<TaskSpec> tasks) {
    List<List<TaskSpec>> batches = new ArrayList<>();
    int begin = 0;
    int bytes = 0;
    for (int i = 0; i < tasks.size(); i++) {
      int size = tasks.get(i).getSerializedSize();
      if (i > begin && (i - begin == BATCH_TASKS || bytes + size > BATCH_BYTES)) {
        batches.add(tasks.subList(begin, i));
        begin = i;
        bytes = 0;
      }
      bytes += size;
    }
    if (begin < tasks.size()) {
      batches.add(tasks.subList(begin, tasks.size()));
    }
    return batches;
  }

  /** A task with all that is known of it. */
  public CompletableFuture<Task> get(String queue, String taskId) {
    return runtime
        .call(
            TaskQueueServiceGrpc.getGetTaskMethod(),
            GetTaskRequest.newBuilder().setQueue(queue).setTaskId(taskId).build())
        .thenApply(GetTaskResponse::getTask);
  }

  /**
   * Waits until a task has ended, across lost connections and restarts of the server; the answer
   * says whether it did within the timeout.
   */
  public CompletableFuture<WaitTaskResponse> await(String queue, String taskId, Duration timeout) {
    return await(queue, taskId, System.nanoTime() + timeout.toNanos());
  }

  private CompletableFuture<WaitTaskResponse> await(String queue, String taskId, long endNanos) {
    long left = Math.max(0, endNanos - System.nanoTime());
    Duration round = Duration.ofNanos(Math.min(left, WAIT_ROUND.toNanos()));
    return runtime
        .call(
            TaskQueueServiceGrpc.getWaitTaskMethod(),
            WaitTaskRequest.newBuilder()
                .setQueue(queue)
                .setTaskId(taskId)
                // Zero would mean the contract's default.
                .setTimeout(Durations.fromMillis(Math.max(1, round.toMillis())))
                .build(),
            round.plus(runtime.callTimeout()))
        .thenCompose(
            answer ->
                answer.getEnded() || System.nanoTime() - endNanos >= 0
                    ? CompletableFuture.completedFuture(answer)
                    : await(queue, taskId, endNanos));
  }

  /** Cancels a task; a running one ends when its worker gave it up. */
  public CompletableFuture<TaskState> cancel(String queue, String taskId, String reason) {
    return runtime
        .call(
            TaskQueueServiceGrpc.getCancelTaskMethod(),
            CancelTaskRequest.newBuilder()
                .setQueue(queue)
                .setTaskId(taskId)
                .setReason(reason)
                .build())
        .thenApply(CancelTaskResponse::getState);
  }

  /** One page of the tasks in one state. */
  public CompletableFuture<ListTasksResponse> list(ListTasksRequest request) {
    return runtime.call(TaskQueueServiceGrpc.getListTasksMethod(), request);
  }

  /** Puts dead or quarantined tasks back, and says how many. */
  public CompletableFuture<Integer> redrive(RedriveTasksRequest request) {
    return runtime
        .call(TaskQueueServiceGrpc.getRedriveTasksMethod(), request)
        .thenApply(RedriveTasksResponse::getRedriven);
  }

  /** A queue's settings and counters. */
  public CompletableFuture<Queue> queue(String queue) {
    return runtime
        .call(
            TaskQueueServiceGrpc.getGetQueueMethod(),
            GetQueueRequest.newBuilder().setQueue(queue).build())
        .thenApply(GetQueueResponse::getQueue);
  }

  /** Replaces a queue's settings as a whole. */
  public CompletableFuture<Queue> configure(String queue, QueueSettings settings) {
    return runtime
        .call(
            TaskQueueServiceGrpc.getConfigureQueueMethod(),
            ConfigureQueueRequest.newBuilder().setQueue(queue).setSettings(settings).build())
        .thenApply(ConfigureQueueResponse::getQueue);
  }

  /** Takes tasks in and gives none out. */
  public CompletableFuture<Queue> pause(String queue) {
    return runtime
        .call(
            TaskQueueServiceGrpc.getPauseQueueMethod(),
            PauseQueueRequest.newBuilder().setQueue(queue).build())
        .thenApply(PauseQueueResponse::getQueue);
  }

  /** Ends a pause or a drain. */
  public CompletableFuture<Queue> resume(String queue) {
    return runtime
        .call(
            TaskQueueServiceGrpc.getResumeQueueMethod(),
            ResumeQueueRequest.newBuilder().setQueue(queue).build())
        .thenApply(ResumeQueueResponse::getQueue);
  }

  /** Gives tasks out and takes none in. */
  public CompletableFuture<Queue> drain(String queue) {
    return runtime
        .call(
            TaskQueueServiceGrpc.getDrainQueueMethod(),
            DrainQueueRequest.newBuilder().setQueue(queue).build())
        .thenApply(DrainQueueResponse::getQueue);
  }

  /** Removes tasks that are not running and in one of these states, and says how many. */
  public CompletableFuture<Long> purge(String queue, TaskState... states) {
    return runtime
        .call(
            TaskQueueServiceGrpc.getPurgeQueueMethod(),
            PurgeQueueRequest.newBuilder().setQueue(queue).addAllStates(List.of(states)).build())
        .thenApply(PurgeQueueResponse::getPurged);
  }
}
