package dev.troupe.server.task;

import com.google.inject.Inject;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.grpc.Checks;
import dev.troupe.server.grpc.Names;
import dev.troupe.server.grpc.RequestDigest;
import dev.troupe.server.grpc.StatusMapper;
import dev.troupe.v1.EnqueueBatchRequest;
import dev.troupe.v1.EnqueueBatchResponse;
import dev.troupe.v1.EnqueueRequest;
import dev.troupe.v1.EnqueueResponse;
import dev.troupe.v1.EnqueueResult;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.TaskSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Takes tasks in: one, or many with an outcome each. */
final class TaskEnqueuing {

  private static final int MOST_OF_BATCH = 1000;

  private final TaskStore store;
  private final SharedScripts shared;
  private final TaskConfig config;

  @Inject
  TaskEnqueuing(TaskStore store, SharedScripts shared, TaskConfig config) {
    this.store = store;
    this.shared = shared;
    this.config = config;
  }

  CompletionStage<EnqueueResponse> enqueue(EnqueueRequest request) {
    Checks checks =
        new Checks()
            .namespace(request.getNamespace())
            .name("queue", request.getQueue())
            .requestId(request.getRequestId())
            .fence(request.hasFence(), request.getFence())
            .that(request.hasTask(), "task", "required");
    TaskChecks.task(checks, "task.", request.getTask(), config.maxPayload().bytes());
    checks.done();
    return store
        .locate(Names.namespace(request.getNamespace()), request.getQueue())
        .thenCompose(
            queue ->
                enqueue(queue, withId(request.getTask()), request)
                    .thenApply(outcome -> accepted(queue, outcome)));
  }

  private CompletionStage<EnqueueOutcome> enqueue(
      QueueId queue, TaskSpec task, EnqueueRequest request) {
    if (request.getRequestId().isEmpty() && !request.hasFence()) {
      return shared.enqueue(queue, task);
    }
    return store
        .enqueue(
            queue,
            List.of(task),
            request.getFence(),
            request.getRequestId(),
            RequestDigest.of(request.getRequestId(), request))
        .thenApply(outcomes -> outcomes.get(0));
  }

  private static TaskSpec withId(TaskSpec task) {
    return task.getTaskId().isEmpty()
        ? task.toBuilder().setTaskId(UUID.randomUUID().toString()).build()
        : task;
  }

  private static EnqueueResponse accepted(QueueId queue, EnqueueOutcome outcome) {
    if (outcome instanceof EnqueueOutcome.Created created) {
      return EnqueueResponse.newBuilder()
          .setTaskId(created.taskId())
          .setCreated(true)
          .setState(created.state())
          .build();
    }
    if (outcome instanceof EnqueueOutcome.Existing existing) {
      return EnqueueResponse.newBuilder()
          .setTaskId(existing.taskId())
          .setState(existing.state())
          .build();
    }
    throw refusal(outcome).about("namespace", queue.partition().namespace(), "queue", queue.name());
  }

  private static TroupeException refusal(EnqueueOutcome outcome) {
    if (outcome instanceof EnqueueOutcome.Conflict conflict) {
      return TroupeException.of(
              ErrorReason.ERROR_REASON_TASK_EXISTS, "the task id or the dedupe key is taken")
          .about("task_id", conflict.taskId());
    }
    if (outcome instanceof EnqueueOutcome.Draining) {
      return TroupeException.of(
          ErrorReason.ERROR_REASON_QUEUE_DRAINING, "the queue is draining and takes no new tasks");
    }
    return TroupeException.of(
        ErrorReason.ERROR_REASON_LIMIT_EXCEEDED,
        "too many different `requires` wait in this queue",
        Map.of("limit", "128"));
  }

  CompletionStage<EnqueueBatchResponse> enqueueBatch(EnqueueBatchRequest request) {
    new Checks()
        .namespace(request.getNamespace())
        .name("queue", request.getQueue())
        .requestId(request.getRequestId())
        .fence(request.hasFence(), request.getFence())
        .range("tasks", request.getTasksCount(), 1, MOST_OF_BATCH)
        .done();
    EnqueueResult[] results = new EnqueueResult[request.getTasksCount()];
    List<Integer> valid = new ArrayList<>();
    for (int i = 0; i < results.length; i++) {
      Checks checks = new Checks();
      TaskChecks.task(
          checks, "tasks[" + i + "].", request.getTasks(i), config.maxPayload().bytes());
      if (checks.violations().isEmpty()) {
        valid.add(i);
      } else {
        results[i] = refused(TroupeException.invalid(checks.violations()));
      }
    }
    return store
        .locate(Names.namespace(request.getNamespace()), request.getQueue())
        .thenCompose(
            queue ->
                enqueueParts(
                    queue,
                    request,
                    RequestDigest.of(request.getRequestId(), request),
                    valid,
                    results))
        .thenApply(
            done -> EnqueueBatchResponse.newBuilder().addAllResults(List.of(results)).build());
  }

  /** Part after part, so that the tasks keep their order. */
  private CompletionStage<Void> enqueueParts(
      QueueId queue,
      EnqueueBatchRequest request,
      String digest,
      List<Integer> indexes,
      EnqueueResult[] results) {
    if (indexes.isEmpty()) {
      return CompletableFuture.completedFuture(null);
    }
    int size = Math.min(indexes.size(), TaskStore.MOST_PER_SCRIPT);
    List<Integer> part = indexes.subList(0, size);
    // Each part is a request of its own to the store, told apart by its first index.
    String requestId =
        request.getRequestId().isEmpty() ? "" : request.getRequestId() + "\n" + part.get(0);
    return store
        .enqueue(
            queue,
            part.stream().map(i -> withId(request.getTasks(i))).toList(),
            request.getFence(),
            requestId,
            digest)
        .handle(
            (outcomes, failure) -> {
              // Where one part fails, the next would too, each after its own time-out.
              List<Integer> settled = failure != null ? indexes : part;
              for (int i = 0; i < settled.size(); i++) {
                results[settled.get(i)] =
                    failure != null ? refused(failure) : result(queue, outcomes.get(i));
              }
              return indexes.subList(settled.size(), indexes.size());
            })
        .thenCompose(rest -> enqueueParts(queue, request, digest, rest, results));
  }

  private static EnqueueResult result(QueueId queue, EnqueueOutcome outcome) {
    try {
      return EnqueueResult.newBuilder().setAccepted(accepted(queue, outcome)).build();
    } catch (TroupeException refusal) {
      return refused(refusal);
    }
  }

  private static EnqueueResult refused(Throwable failure) {
    return EnqueueResult.newBuilder().setError(StatusMapper.toItemError(failure)).build();
  }
}
