package dev.troupe.server.task;

import static dev.troupe.server.grpc.Answers.answer;

import com.google.inject.Inject;
import com.google.protobuf.util.Durations;
import dev.troupe.server.grpc.Checks;
import dev.troupe.server.grpc.LoadLimit;
import dev.troupe.server.grpc.Names;
import dev.troupe.server.outbox.OutboxEvents;
import dev.troupe.v1.Attempt;
import dev.troupe.v1.CancelTaskRequest;
import dev.troupe.v1.CancelTaskResponse;
import dev.troupe.v1.CompleteRequest;
import dev.troupe.v1.CompleteResponse;
import dev.troupe.v1.ConfigureQueueRequest;
import dev.troupe.v1.ConfigureQueueResponse;
import dev.troupe.v1.DrainQueueRequest;
import dev.troupe.v1.DrainQueueResponse;
import dev.troupe.v1.EnqueueBatchRequest;
import dev.troupe.v1.EnqueueBatchResponse;
import dev.troupe.v1.EnqueueRequest;
import dev.troupe.v1.EnqueueResponse;
import dev.troupe.v1.ExtendRequest;
import dev.troupe.v1.ExtendResponse;
import dev.troupe.v1.FailRequest;
import dev.troupe.v1.FailResponse;
import dev.troupe.v1.GetQueueRequest;
import dev.troupe.v1.GetQueueResponse;
import dev.troupe.v1.GetTaskRequest;
import dev.troupe.v1.GetTaskResponse;
import dev.troupe.v1.LeaseRequest;
import dev.troupe.v1.LeaseResponse;
import dev.troupe.v1.ListQueuesRequest;
import dev.troupe.v1.ListQueuesResponse;
import dev.troupe.v1.ListTasksRequest;
import dev.troupe.v1.ListTasksResponse;
import dev.troupe.v1.PauseQueueRequest;
import dev.troupe.v1.PauseQueueResponse;
import dev.troupe.v1.PurgeQueueRequest;
import dev.troupe.v1.PurgeQueueResponse;
import dev.troupe.v1.RedriveTasksRequest;
import dev.troupe.v1.RedriveTasksResponse;
import dev.troupe.v1.ReleaseRequest;
import dev.troupe.v1.ReleaseResponse;
import dev.troupe.v1.ReportProgressRequest;
import dev.troupe.v1.ReportProgressResponse;
import dev.troupe.v1.ResumeQueueRequest;
import dev.troupe.v1.ResumeQueueResponse;
import dev.troupe.v1.TaskQueueServiceGrpc;
import dev.troupe.v1.WaitTaskRequest;
import dev.troupe.v1.WaitTaskResponse;
import dev.troupe.v1.WorkRequest;
import dev.troupe.v1.WorkResponse;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.concurrent.CompletionStage;

/** The gRPC face of the task queues: check, call, answer. */
final class TaskQueueService extends TaskQueueServiceGrpc.TaskQueueServiceImplBase {

  private final TaskStore store;
  private final SharedScripts shared;
  private final TaskEnqueuing enqueuing;
  private final TaskWaits waits;
  private final TaskListings listings;
  private final WorkStreamHost host;
  private final TaskConfig config;

  @Inject
  TaskQueueService(
      TaskStore store,
      SharedScripts shared,
      TaskEnqueuing enqueuing,
      TaskWaits waits,
      TaskListings listings,
      WorkStreamHost host,
      TaskConfig config) {
    this.store = store;
    this.shared = shared;
    this.enqueuing = enqueuing;
    this.waits = waits;
    this.listings = listings;
    this.host = host;
    this.config = config;
  }

  @Override
  public void enqueue(EnqueueRequest request, StreamObserver<EnqueueResponse> caller) {
    answer(caller, () -> enqueuing.enqueue(request));
  }

  @Override
  public void enqueueBatch(
      EnqueueBatchRequest request, StreamObserver<EnqueueBatchResponse> caller) {
    answer(caller, () -> enqueuing.enqueueBatch(request));
  }

  @Override
  public StreamObserver<WorkRequest> work(StreamObserver<WorkResponse> worker) {
    return new WorkStream(host, (ServerCallStreamObserver<WorkResponse>) worker);
  }

  @Override
  public void lease(LeaseRequest request, StreamObserver<LeaseResponse> caller) {
    answer(
        caller,
        () -> {
          queue(request.getNamespace(), request.getQueue())
              .name("worker_id", request.getWorkerId())
              .names("capabilities", request.getCapabilitiesList(), 64)
              .range("max_tasks", request.getMaxTasks(), 0, TaskStore.MOST_PER_SCRIPT)
              .duration(
                  "wait",
                  request.hasWait(),
                  request.getWait(),
                  Duration.ZERO,
                  Duration.ofSeconds(60))
              .fence(request.hasFence(), request.getFence())
              .done();
          if (Durations.isPositive(request.getWait())) {
            LoadLimit.waits();
          }
          return at(request.getNamespace(), request.getQueue())
              .thenCompose(queue -> waits.lease(queue, request, caller));
        });
  }

  @Override
  public void extend(ExtendRequest request, StreamObserver<ExtendResponse> caller) {
    answer(
        caller,
        () -> {
          attempt(request.getNamespace(), request.getAttempt())
              .duration(
                  "lease_duration",
                  request.hasLeaseDuration(),
                  request.getLeaseDuration(),
                  Duration.ofSeconds(1),
                  Duration.ofHours(1))
              .fence(request.hasFence(), request.getFence())
              .done();
          return at(request.getNamespace(), request.getAttempt().getQueue())
              .thenCompose(
                  queue ->
                      store
                          .under(request.getFence())
                          .extendOne(queue, request.getAttempt(), request.getLeaseDuration()))
              .thenApply(
                  extended ->
                      ExtendResponse.newBuilder()
                          .setLeaseExpireTime(TaskCodec.time(extended.untilMicros()))
                          .setCancelRequested(extended.cancelRequested())
                          .build());
        });
  }

  @Override
  public void reportProgress(
      ReportProgressRequest request, StreamObserver<ReportProgressResponse> caller) {
    answer(
        caller,
        () -> {
          Checks checks = attempt(request.getNamespace(), request.getAttempt());
          TaskChecks.progress(checks, request.getProgress(), request.getCheckpoint().size());
          checks.fence(request.hasFence(), request.getFence()).done();
          return at(request.getNamespace(), request.getAttempt().getQueue())
              .thenCompose(
                  queue ->
                      store
                          .under(request.getFence())
                          .progress(
                              queue,
                              request.getAttempt(),
                              request.getProgress(),
                              request.getCheckpoint().toByteArray()))
              .thenApply(
                  cancelRequested ->
                      ReportProgressResponse.newBuilder()
                          .setCancelRequested(cancelRequested)
                          .build());
        });
  }

  @Override
  public void complete(CompleteRequest request, StreamObserver<CompleteResponse> caller) {
    answer(
        caller,
        () -> {
          Checks checks =
              attempt(request.getNamespace(), request.getAttempt())
                  .bytes("result", request.getResult().size(), config.maxPayload().bytes())
                  .fence(request.hasFence(), request.getFence());
          OutboxEvents.check(checks, "events", request.getEventsList());
          checks.done();
          return at(request.getNamespace(), request.getAttempt().getQueue())
              .thenCompose(
                  queue ->
                      shared.complete(
                          queue,
                          new Completion(
                              request.getAttempt(),
                              request.getResult().toByteArray(),
                              request.getFence(),
                              request.getEventsList())))
              .thenApply(done -> CompleteResponse.getDefaultInstance());
        });
  }

  @Override
  public void fail(FailRequest request, StreamObserver<FailResponse> caller) {
    answer(
        caller,
        () -> {
          Checks checks = attempt(request.getNamespace(), request.getAttempt());
          TaskChecks.failure(checks, "failure.", request.getFailure());
          checks.fence(request.hasFence(), request.getFence()).done();
          return at(request.getNamespace(), request.getAttempt().getQueue())
              .thenCompose(
                  queue ->
                      store.fail(
                          queue, request.getAttempt(), request.getFailure(), request.getFence()));
        });
  }

  @Override
  public void release(ReleaseRequest request, StreamObserver<ReleaseResponse> caller) {
    answer(
        caller,
        () -> {
          attempt(request.getNamespace(), request.getAttempt())
              .duration(
                  "delay",
                  request.hasDelay(),
                  request.getDelay(),
                  Duration.ZERO,
                  Duration.ofDays(365))
              .optionalName("reason", request.getReason())
              .fence(request.hasFence(), request.getFence())
              .done();
          return at(request.getNamespace(), request.getAttempt().getQueue())
              .thenCompose(
                  queue ->
                      store
                          .under(request.getFence())
                          .release(
                              queue, request.getAttempt(), request.getDelay(), request.getReason()))
              .thenApply(state -> ReleaseResponse.newBuilder().setState(state).build());
        });
  }

  @Override
  public void cancelTask(CancelTaskRequest request, StreamObserver<CancelTaskResponse> caller) {
    answer(
        caller,
        () -> {
          queue(request.getNamespace(), request.getQueue())
              .name("task_id", request.getTaskId())
              .optionalName("reason", request.getReason())
              .fence(request.hasFence(), request.getFence())
              .done();
          return at(request.getNamespace(), request.getQueue())
              .thenCompose(
                  queue ->
                      store.cancel(
                          queue, request.getTaskId(), request.getReason(), request.getFence()))
              .thenApply(state -> CancelTaskResponse.newBuilder().setState(state).build());
        });
  }

  @Override
  public void getTask(GetTaskRequest request, StreamObserver<GetTaskResponse> caller) {
    answer(
        caller,
        () -> {
          queue(request.getNamespace(), request.getQueue())
              .name("task_id", request.getTaskId())
              .done();
          return at(request.getNamespace(), request.getQueue())
              .thenCompose(queue -> store.get(queue, request.getTaskId()))
              .thenApply(task -> GetTaskResponse.newBuilder().setTask(task).build());
        });
  }

  @Override
  public void listTasks(ListTasksRequest request, StreamObserver<ListTasksResponse> caller) {
    answer(
        caller,
        () -> {
          Checks checks =
              queue(request.getNamespace(), request.getQueue())
                  .range("page_size", request.getPageSize(), 0, 500);
          TaskChecks.state(checks, "state", request.getState());
          checks.done();
          return at(request.getNamespace(), request.getQueue())
              .thenCompose(queue -> listings.tasks(queue, request));
        });
  }

  @Override
  public void waitTask(WaitTaskRequest request, StreamObserver<WaitTaskResponse> caller) {
    answer(
        caller,
        () -> {
          queue(request.getNamespace(), request.getQueue())
              .name("task_id", request.getTaskId())
              .duration(
                  "timeout",
                  request.hasTimeout(),
                  request.getTimeout(),
                  Duration.ZERO,
                  Duration.ofHours(1))
              .done();
          LoadLimit.waits();
          return at(request.getNamespace(), request.getQueue())
              .thenCompose(queue -> waits.ending(queue, request, caller));
        });
  }

  @Override
  public void redriveTasks(
      RedriveTasksRequest request, StreamObserver<RedriveTasksResponse> caller) {
    answer(
        caller,
        () -> {
          queue(request.getNamespace(), request.getQueue())
              .that(
                  TaskStates.letter(request.getState()).matches("[XZ]"),
                  "state",
                  "expected TASK_STATE_DEAD or TASK_STATE_QUARANTINED")
              .names("task_ids", request.getTaskIdsList(), 1000)
              .range("max_tasks", request.getMaxTasks(), 0, 100_000)
              .fence(request.hasFence(), request.getFence())
              .done();
          return at(request.getNamespace(), request.getQueue())
              .thenCompose(queue -> listings.redrive(queue, request));
        });
  }

  @Override
  public void configureQueue(
      ConfigureQueueRequest request, StreamObserver<ConfigureQueueResponse> caller) {
    answer(
        caller,
        () -> {
          Checks checks =
              queue(request.getNamespace(), request.getQueue())
                  .that(request.hasSettings(), "settings", "required")
                  .fence(request.hasFence(), request.getFence());
          TaskChecks.settings(checks, request.getSettings());
          checks.done();
          return at(request.getNamespace(), request.getQueue())
              .thenCompose(
                  queue -> store.configure(queue, request.getSettings(), request.getFence()))
              .thenApply(queue -> ConfigureQueueResponse.newBuilder().setQueue(queue).build());
        });
  }

  @Override
  public void pauseQueue(PauseQueueRequest request, StreamObserver<PauseQueueResponse> caller) {
    answer(
        caller,
        () -> {
          queue(request.getNamespace(), request.getQueue())
              .fence(request.hasFence(), request.getFence())
              .done();
          return at(request.getNamespace(), request.getQueue())
              .thenCompose(
                  queue -> store.under(request.getFence()).mode(queue, TaskStore.Mode.PAUSED))
              .thenApply(queue -> PauseQueueResponse.newBuilder().setQueue(queue).build());
        });
  }

  @Override
  public void resumeQueue(ResumeQueueRequest request, StreamObserver<ResumeQueueResponse> caller) {
    answer(
        caller,
        () -> {
          queue(request.getNamespace(), request.getQueue())
              .fence(request.hasFence(), request.getFence())
              .done();
          return at(request.getNamespace(), request.getQueue())
              .thenCompose(
                  queue -> store.under(request.getFence()).mode(queue, TaskStore.Mode.ACTIVE))
              .thenApply(queue -> ResumeQueueResponse.newBuilder().setQueue(queue).build());
        });
  }

  @Override
  public void drainQueue(DrainQueueRequest request, StreamObserver<DrainQueueResponse> caller) {
    answer(
        caller,
        () -> {
          queue(request.getNamespace(), request.getQueue())
              .fence(request.hasFence(), request.getFence())
              .done();
          return at(request.getNamespace(), request.getQueue())
              .thenCompose(
                  queue -> store.under(request.getFence()).mode(queue, TaskStore.Mode.DRAINING))
              .thenApply(queue -> DrainQueueResponse.newBuilder().setQueue(queue).build());
        });
  }

  @Override
  public void purgeQueue(PurgeQueueRequest request, StreamObserver<PurgeQueueResponse> caller) {
    answer(
        caller,
        () -> {
          Checks checks = queue(request.getNamespace(), request.getQueue());
          request
              .getStatesList()
              .forEach(
                  state ->
                      checks.that(
                          TaskStates.letter(state).matches("[DRSXCZ]"),
                          "states",
                          state.name() + " cannot be purged"));
          checks.fence(request.hasFence(), request.getFence()).done();
          return at(request.getNamespace(), request.getQueue())
              .thenCompose(queue -> listings.purge(queue, request));
        });
  }

  @Override
  public void getQueue(GetQueueRequest request, StreamObserver<GetQueueResponse> caller) {
    answer(
        caller,
        () -> {
          queue(request.getNamespace(), request.getQueue()).done();
          return at(request.getNamespace(), request.getQueue())
              .thenCompose(store::stats)
              .thenApply(queue -> GetQueueResponse.newBuilder().setQueue(queue).build());
        });
  }

  @Override
  public void listQueues(ListQueuesRequest request, StreamObserver<ListQueuesResponse> caller) {
    answer(
        caller,
        () -> {
          new Checks()
              .namespace(request.getNamespace())
              .range("page_size", request.getPageSize(), 0, 500)
              .done();
          return listings.queues(request);
        });
  }

  private static Checks queue(String namespace, String queue) {
    return new Checks().namespace(namespace).name("queue", queue);
  }

  private static Checks attempt(String namespace, Attempt attempt) {
    return TaskChecks.attempt(new Checks().namespace(namespace), "attempt.", attempt);
  }

  private CompletionStage<QueueId> at(String namespace, String queue) {
    return store.locate(Names.namespace(namespace), queue);
  }
}
