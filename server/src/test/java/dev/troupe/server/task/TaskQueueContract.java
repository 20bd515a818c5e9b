package dev.troupe.server.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import com.google.common.util.concurrent.ListenableFuture;
import com.google.protobuf.ByteString;
import com.google.protobuf.Duration;
import com.google.protobuf.util.Durations;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import dev.troupe.server.crash.TroupeOnRedis;
import dev.troupe.server.crash.TroupeProcess;
import dev.troupe.server.grpc.Refusal;
import dev.troupe.v1.Attempt;
import dev.troupe.v1.CancelTaskRequest;
import dev.troupe.v1.CompleteRequest;
import dev.troupe.v1.CompleteResponse;
import dev.troupe.v1.ConfigureQueueRequest;
import dev.troupe.v1.ConflictPolicy;
import dev.troupe.v1.DrainQueueRequest;
import dev.troupe.v1.EnqueueBatchRequest;
import dev.troupe.v1.EnqueueRequest;
import dev.troupe.v1.EnqueueResponse;
import dev.troupe.v1.EnqueueResult;
import dev.troupe.v1.ExtendRequest;
import dev.troupe.v1.FailRequest;
import dev.troupe.v1.FailResponse;
import dev.troupe.v1.Failure;
import dev.troupe.v1.Fence;
import dev.troupe.v1.GetQueueRequest;
import dev.troupe.v1.GetTaskRequest;
import dev.troupe.v1.LeaseRequest;
import dev.troupe.v1.LeasedTask;
import dev.troupe.v1.ListQueuesRequest;
import dev.troupe.v1.ListTasksRequest;
import dev.troupe.v1.ListTasksResponse;
import dev.troupe.v1.PauseQueueRequest;
import dev.troupe.v1.Progress;
import dev.troupe.v1.PurgeQueueRequest;
import dev.troupe.v1.QueueSettings;
import dev.troupe.v1.QueueStats;
import dev.troupe.v1.RedriveTasksRequest;
import dev.troupe.v1.ReleaseRequest;
import dev.troupe.v1.ReportProgressRequest;
import dev.troupe.v1.ResumeQueueRequest;
import dev.troupe.v1.RetryPolicy;
import dev.troupe.v1.Task;
import dev.troupe.v1.TaskQueueServiceGrpc;
import dev.troupe.v1.TaskQueueServiceGrpc.TaskQueueServiceBlockingStub;
import dev.troupe.v1.TaskSpec;
import dev.troupe.v1.TaskState;
import dev.troupe.v1.TaskTimers;
import dev.troupe.v1.WaitTaskRequest;
import dev.troupe.v1.WaitTaskResponse;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** The unary calls against a real server; after each test its queue's counters add up. */
@SuppressWarnings("NullAway.Init")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class TaskQueueContract {

  private final TroupeOnRedis fixture;
  private TroupeProcess server;

  private ManagedChannel channel;

  private TaskQueueServiceBlockingStub tasks;

  private String queue;

  TaskQueueContract(TroupeOnRedis fixture) {
    this.fixture = fixture;
  }

  @BeforeAll
  void start() throws Exception {
    server = fixture.start();
    channel = server.channel();
  }

  @AfterAll
  void stop() throws Exception {
    channel.shutdownNow();
    fixture.close();
  }

  @BeforeEach
  void ownQueue() {
    tasks = TaskQueueServiceGrpc.newBlockingStub(channel);
    queue = "q{" + UUID.randomUUID() + "}:*'\"ü";
  }

  @AfterEach
  void countersAddUp() {
    QueueStats s;
    try {
      s = stats();
    } catch (StatusRuntimeException e) {
      assertThat(reason(e)).isEqualTo("QUEUE_NOT_FOUND");
      return;
    }
    assertThat(s.getEnqueued())
        .isEqualTo(
            s.getWaiting()
                + s.getDelayed()
                + s.getReady()
                + s.getLeased()
                + s.getSucceeded()
                + s.getDead()
                + s.getCancelled()
                + s.getQuarantined()
                + s.getPurged());
    assertThat(s.getLeasesGranted())
        .isEqualTo(
            s.getAttemptsCompleted()
                + s.getAttemptsFailed()
                + s.getAttemptsExpired()
                + s.getAttemptsReleased()
                + s.getAttemptsCancelled()
                + s.getLeased());
    assertThat(list(TaskState.TASK_STATE_READY)).hasSize((int) s.getReady());
    assertThat(list(TaskState.TASK_STATE_LEASED)).hasSize((int) s.getLeased());
    assertThat(list(TaskState.TASK_STATE_DELAYED)).hasSize((int) s.getDelayed());
  }

  @Test
  void noWritePassesAStaleFenceAndNothingIsChanged() {
    enqueue("running");
    LeasedTask task = lease(1).get(0);
    enqueue("waiting");
    Fence newer = Fence.newBuilder().setName("owner").setToken(10).build();
    Fence stale = Fence.newBuilder().setName("owner").setToken(9).build();
    tasks.extend(ExtendRequest.newBuilder().setAttempt(task.getAttempt()).setFence(newer).build());
    QueueStats before = stats().toBuilder().clearOldestReadyAge().build();
    List<ThrowingCallable> writes =
        List.of(
            () ->
                tasks.enqueue(
                    EnqueueRequest.newBuilder()
                        .setQueue(queue)
                        .setTask(TaskSpec.getDefaultInstance())
                        .setFence(stale)
                        .build()),
            () ->
                tasks.lease(
                    LeaseRequest.newBuilder()
                        .setQueue(queue)
                        .setWorkerId("w")
                        .setFence(stale)
                        .build()),
            () ->
                tasks.lease(
                    LeaseRequest.newBuilder()
                        .setQueue(queue)
                        .setWorkerId("w")
                        .setWait(Durations.fromSeconds(5))
                        .setFence(stale)
                        .build()),
            () ->
                tasks.extend(
                    ExtendRequest.newBuilder()
                        .setAttempt(task.getAttempt())
                        .setFence(stale)
                        .build()),
            () ->
                tasks.reportProgress(
                    ReportProgressRequest.newBuilder()
                        .setAttempt(task.getAttempt())
                        .setProgress(Progress.newBuilder().setMessage("m"))
                        .setFence(stale)
                        .build()),
            () ->
                tasks.complete(
                    CompleteRequest.newBuilder()
                        .setAttempt(task.getAttempt())
                        .setFence(stale)
                        .build()),
            () ->
                tasks.fail(
                    FailRequest.newBuilder()
                        .setAttempt(task.getAttempt())
                        .setFailure(Failure.newBuilder().setKind("k").setMessage("m"))
                        .setFence(stale)
                        .build()),
            () ->
                tasks.release(
                    ReleaseRequest.newBuilder()
                        .setAttempt(task.getAttempt())
                        .setFence(stale)
                        .build()),
            () ->
                tasks.cancelTask(
                    CancelTaskRequest.newBuilder()
                        .setQueue(queue)
                        .setTaskId("waiting")
                        .setFence(stale)
                        .build()),
            () ->
                tasks.redriveTasks(
                    RedriveTasksRequest.newBuilder()
                        .setQueue(queue)
                        .setState(TaskState.TASK_STATE_DEAD)
                        .setFence(stale)
                        .build()),
            () ->
                tasks.pauseQueue(
                    PauseQueueRequest.newBuilder().setQueue(queue).setFence(stale).build()),
            () ->
                tasks.resumeQueue(
                    ResumeQueueRequest.newBuilder().setQueue(queue).setFence(stale).build()),
            () ->
                tasks.drainQueue(
                    DrainQueueRequest.newBuilder().setQueue(queue).setFence(stale).build()),
            () ->
                tasks.purgeQueue(
                    PurgeQueueRequest.newBuilder().setQueue(queue).setFence(stale).build()),
            () ->
                tasks.configureQueue(
                    ConfigureQueueRequest.newBuilder()
                        .setQueue(queue)
                        .setSettings(QueueSettings.getDefaultInstance())
                        .setFence(stale)
                        .build()));
    for (ThrowingCallable write : writes) {
      assertThat(Refusal.of(write).what()).isEqualTo("FAILED_PRECONDITION STALE_FENCE");
    }
    assertThat(stats().toBuilder().clearOldestReadyAge().build()).isEqualTo(before);
    tasks.release(
        ReleaseRequest.newBuilder().setAttempt(task.getAttempt()).setFence(newer).build());
    assertThat(get("running").getState()).isEqualTo(TaskState.TASK_STATE_READY);
  }

  @Test
  void aTaskGoesFromEnqueueToItsResult() {
    enqueue(TaskSpec.newBuilder().setTaskId("t").setPayload(bytes("in")));
    LeasedTask leased = lease(1).get(0);
    assertThat(leased.getSpec().getPayload()).isEqualTo(bytes("in"));
    complete(leased, "out");
    Task task = get("t");
    assertThat(task.getState()).isEqualTo(TaskState.TASK_STATE_SUCCEEDED);
    assertThat(task.getResult()).isEqualTo(bytes("out"));
    assertThat(task.getAttempts()).isEqualTo(1);
  }

  @Test
  void theSameCompletionAgainIsFineAndAnotherOneIsAConflict() {
    enqueue("t");
    LeasedTask leased = lease(1).get(0);
    complete(leased, "one");
    complete(leased, "one");
    assertThat(refusal(() -> complete(leased, "two"))).isEqualTo("RESULT_CONFLICT");
    assertThat(get("t").getResult()).isEqualTo(bytes("one"));
  }

  @Test
  void callsThatShareAScriptAreAnsweredEachOnItsOwn() throws Exception {
    var together = TaskQueueServiceGrpc.newFutureStub(channel);
    List<ListenableFuture<EnqueueResponse>> enqueued = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      // Every id comes twice.
      enqueued.add(
          together.enqueue(
              EnqueueRequest.newBuilder()
                  .setQueue(queue)
                  .setTask(TaskSpec.newBuilder().setTaskId("t" + i / 2))
                  .build()));
    }
    int created = 0;
    for (int i = 0; i < 200; i++) {
      EnqueueResponse response = enqueued.get(i).get();
      assertThat(response.getTaskId()).isEqualTo("t" + i / 2);
      created += response.getCreated() ? 1 : 0;
    }
    assertThat(created).isEqualTo(100);

    List<LeasedTask> leased = new ArrayList<>(lease(50));
    leased.addAll(lease(50));
    LeasedTask stale = leased.get(7);
    cancel(stale.getAttempt().getTaskId());
    release(stale, Durations.ZERO);
    List<ListenableFuture<CompleteResponse>> completed = new ArrayList<>();
    for (LeasedTask task : leased) {
      CompleteRequest request =
          CompleteRequest.newBuilder()
              .setAttempt(task.getAttempt())
              .setResult(bytes(task.getAttempt().getTaskId()))
              .build();
      completed.add(together.complete(request));
      completed.add(together.complete(request));
    }
    for (int i = 0; i < completed.size(); i++) {
      ListenableFuture<CompleteResponse> one = completed.get(i);
      if (i / 2 == 7) {
        assertThatThrownBy(one::get)
            .cause()
            .isInstanceOfSatisfying(
                StatusRuntimeException.class,
                refused -> assertThat(reason(refused)).isEqualTo("RESULT_CONFLICT"));
      } else {
        one.get();
      }
    }
    assertThat(stats().getSucceeded()).isEqualTo(99);
    assertThat(get("t99").getResult()).isEqualTo(bytes("t99"));
  }

  @Test
  void anOvertakenAttemptCanChangeNothing() {
    enqueue("t");
    LeasedTask zombie = lease(1).get(0);
    release(zombie, Durations.ZERO);
    LeasedTask current = lease(1).get(0);
    assertThat(current.getAttempt().getFencingToken())
        .isGreaterThan(zombie.getAttempt().getFencingToken());
    assertThat(refusal(() -> extend(zombie))).isEqualTo("STALE_LEASE");
    assertThat(refusal(() -> complete(zombie, "no"))).isEqualTo("RESULT_CONFLICT");
    assertThat(refusal(() -> fail(zombie, Failure.newBuilder().setKind("no"))))
        .isEqualTo("RESULT_CONFLICT");
    complete(current, "yes");
  }

  @Test
  void aLeaseThatRanOutIsStaleAndTheTaskRunsAgain() {
    enqueue(
        TaskSpec.newBuilder()
            .setTaskId("t")
            .setTimers(TaskTimers.newBuilder().setLeaseDuration(Durations.fromSeconds(1))));
    LeasedTask first = lease(1).get(0);
    LeasedTask second = leaseWaiting(Durations.fromSeconds(5)).get(0);
    assertThat(second.getAttemptNumber()).isEqualTo(2);
    assertThat(refusal(() -> complete(first, "late"))).isEqualTo("STALE_LEASE");
    assertThat(get("t").getLosses()).isEqualTo(1);
    complete(second, "done");
  }

  @Test
  void aTaskLostThreeTimesByTwoWorkersIsQuarantinedAndCanBeRedriven() {
    enqueue(
        TaskSpec.newBuilder()
            .setTaskId("t")
            .setTimers(TaskTimers.newBuilder().setLeaseDuration(Durations.fromSeconds(1))));
    for (String worker : List.of("a", "b", "a")) {
      assertThat(lease(worker, 1, Durations.fromSeconds(5), List.of())).hasSize(1);
    }
    await().until(() -> get("t").getState() == TaskState.TASK_STATE_QUARANTINED);
    assertThat(
            tasks
                .redriveTasks(
                    RedriveTasksRequest.newBuilder()
                        .setQueue(queue)
                        .setState(TaskState.TASK_STATE_QUARANTINED)
                        .build())
                .getRedriven())
        .isEqualTo(1);
    complete(lease(1).get(0), "at last");
  }

  @Test
  void failuresAreRetriedUntilTheyAreUsedUpAndTheTaskIsDead() {
    enqueue(
        TaskSpec.newBuilder()
            .setTaskId("t")
            .setRetry(
                RetryPolicy.newBuilder()
                    .setMaxFailures(2)
                    .setInitialBackoff(Durations.fromMillis(1))));
    LeasedTask first = lease(1).get(0);
    FailResponse failed = fail(first, Failure.newBuilder().setKind("oops"));
    assertThat(fail(first, Failure.newBuilder().setKind("oops"))).isEqualTo(failed);
    LeasedTask second = leaseWaiting(Durations.fromSeconds(5)).get(0);
    assertThat(fail(second, Failure.newBuilder().setKind("oops again")).getState())
        .isEqualTo(TaskState.TASK_STATE_DEAD);
    assertThat(get("t").getFailure().getKind()).isEqualTo("oops again");
    assertThat(list(TaskState.TASK_STATE_DEAD)).hasSize(1);
  }

  @Test
  void aFatalKindOfFailureEndsTheTaskAtOnce() {
    enqueue(
        TaskSpec.newBuilder()
            .setTaskId("t")
            .setRetry(RetryPolicy.newBuilder().addNonRetryableKinds("bad_input")));
    assertThat(fail(lease(1).get(0), Failure.newBuilder().setKind("bad_input")).getState())
        .isEqualTo(TaskState.TASK_STATE_DEAD);
  }

  @Test
  void aReleasedTaskKeepsItsPlaceAndItsCheckpoint() {
    enqueue("first");
    enqueue("second");
    release(lease(1).get(0), Durations.ZERO);
    LeasedTask again = lease(1).get(0);
    assertThat(again.getAttempt().getTaskId()).isEqualTo("first");
    assertThat(get("first").getReleases()).isEqualTo(1);
    assertThat(get("first").getFailures()).isZero();
  }

  @Test
  void aDelayedTaskWakesAWaitingCallWhenItsTimeComes() {
    enqueue(TaskSpec.newBuilder().setTaskId("t").setDelay(Durations.fromMillis(300)));
    assertThat(lease(1)).isEmpty();
    assertThat(leaseWaiting(Durations.fromSeconds(5))).hasSize(1);
  }

  @Test
  void anEnqueueWakesAWaitingCall() throws Exception {
    CompletableFuture<List<LeasedTask>> waiting =
        CompletableFuture.supplyAsync(() -> leaseWaiting(Durations.fromSeconds(20)));
    enqueue("t");
    assertThat(waiting.get()).hasSize(1);
  }

  @Test
  void higherPrioritiesGoFirstAndAgeBreaksTies() {
    enqueue(TaskSpec.newBuilder().setTaskId("low"));
    enqueue(TaskSpec.newBuilder().setTaskId("high").setPriority(9));
    enqueue(TaskSpec.newBuilder().setTaskId("also high").setPriority(9));
    assertThat(ids(lease(3))).containsExactly("high", "also high", "low");
  }

  @Test
  void waitingRaisesATaskAboveYoungerOnesOfHigherPriority() {
    configure(QueueSettings.newBuilder().setAgingStep(Durations.fromMillis(1)));
    enqueue(TaskSpec.newBuilder().setTaskId("old"));
    await().until(() -> Durations.toMillis(stats().getOldestReadyAge()) > 20, old -> old);
    enqueue(TaskSpec.newBuilder().setTaskId("young").setPriority(9));
    assertThat(ids(lease(2))).containsExactly("old", "young");
  }

  @Test
  void aFairnessKeyThatComesLaterTakesTurnsWithOneThatWasAlone() {
    EnqueueBatchRequest.Builder early = EnqueueBatchRequest.newBuilder().setQueue(queue);
    EnqueueBatchRequest.Builder late = EnqueueBatchRequest.newBuilder().setQueue(queue);
    for (int i = 0; i < 20; i++) {
      early.addTasks(TaskSpec.newBuilder().setFairnessKey("early"));
      late.addTasks(TaskSpec.newBuilder().setFairnessKey("late"));
    }
    tasks.enqueueBatch(early.build());
    lease(10);
    tasks.enqueueBatch(late.build());
    assertThat(lease(10).stream().filter(t -> t.getSpec().getFairnessKey().equals("late")).count())
        .isEqualTo(5);
  }

  @Test
  void fairnessKeysTakeTurnsByWeight() {
    configure(QueueSettings.newBuilder().putFairnessWeights("heavy", 3));
    EnqueueBatchRequest.Builder batch = EnqueueBatchRequest.newBuilder().setQueue(queue);
    for (int i = 0; i < 60; i++) {
      batch.addTasks(TaskSpec.newBuilder().setFairnessKey("heavy"));
    }
    for (int i = 0; i < 20; i++) {
      batch.addTasks(TaskSpec.newBuilder().setFairnessKey("light"));
    }
    tasks.enqueueBatch(batch.build());
    long heavy =
        lease(40).stream().filter(t -> t.getSpec().getFairnessKey().equals("heavy")).count();
    assertThat(heavy).isBetween(29L, 31L);
  }

  @Test
  void onlyWorkersThatCanDoATaskGetIt() {
    enqueue(TaskSpec.newBuilder().setTaskId("gpu").addRequires("gpu").addRequires("lang=go"));
    enqueue(TaskSpec.newBuilder().setTaskId("any"));
    assertThat(ids(lease("w", 5, Durations.ZERO, List.of("gpu")))).containsExactly("any");
    assertThat(ids(lease("w", 5, Durations.ZERO, List.of("lang=go", "x", "gpu"))))
        .containsExactly("gpu");
  }

  @Test
  void noMoreAttemptsRunThanTheQueueAllows() {
    configure(QueueSettings.newBuilder().setMaxConcurrency(2));
    for (int i = 0; i < 5; i++) {
      enqueue("t" + i);
    }
    List<LeasedTask> running = lease(5);
    assertThat(running).hasSize(2);
    CompletableFuture<List<LeasedTask>> waiting =
        CompletableFuture.supplyAsync(() -> leaseWaiting(Durations.fromSeconds(20)));
    complete(running.get(0), "done");
    assertThat(waiting.join()).hasSize(1);
  }

  @Test
  void aTakenIdIsReturnedOrRefusedOrReplacedAsAsked() {
    enqueue(TaskSpec.newBuilder().setTaskId("t").setPayload(bytes("1")));
    assertThat(enqueue(TaskSpec.newBuilder().setTaskId("t")).getCreated()).isFalse();
    assertThat(
            refusal(
                () ->
                    enqueue(
                        TaskSpec.newBuilder()
                            .setTaskId("t")
                            .setConflictPolicy(ConflictPolicy.CONFLICT_POLICY_REJECT))))
        .isEqualTo("TASK_EXISTS");
    TaskSpec.Builder replacement =
        TaskSpec.newBuilder()
            .setTaskId("t")
            .setPayload(bytes("2"))
            .setConflictPolicy(ConflictPolicy.CONFLICT_POLICY_REPLACE_IF_NOT_STARTED);
    assertThat(enqueue(replacement).getCreated()).isTrue();
    assertThat(lease(1).get(0).getSpec().getPayload()).isEqualTo(bytes("2"));
    assertThat(enqueue(replacement).getCreated()).isFalse();
  }

  @Test
  void aDedupeKeyIsTakenUntilItsTaskHasEnded() {
    enqueue(TaskSpec.newBuilder().setTaskId("one").setDedupeKey("k"));
    EnqueueResponse second = enqueue(TaskSpec.newBuilder().setTaskId("two").setDedupeKey("k"));
    assertThat(second.getCreated()).isFalse();
    assertThat(second.getTaskId()).isEqualTo("one");
    complete(lease(1).get(0), "");
    assertThat(enqueue(TaskSpec.newBuilder().setTaskId("two").setDedupeKey("k")).getCreated())
        .isTrue();
  }

  @Test
  void aRepeatedRequestGetsTheFirstAnswerAndAReusedIdIsRefused() {
    EnqueueRequest request =
        EnqueueRequest.newBuilder()
            .setQueue(queue)
            .setTask(TaskSpec.newBuilder())
            .setRequestId("r-" + queue)
            .build();
    EnqueueResponse first = tasks.enqueue(request);
    assertThat(tasks.enqueue(request)).isEqualTo(first);
    assertThat(stats().getEnqueued()).isEqualTo(1);
    assertThat(
            refusal(
                () ->
                    tasks.enqueue(
                        request.toBuilder().setTask(TaskSpec.newBuilder().setPriority(1)).build())))
        .isEqualTo("REQUEST_ID_REUSED");
  }

  @Test
  void aFenceThatWasPassedByAHigherTokenRefusesLowerOnes() {
    Fence.Builder fence = Fence.newBuilder().setName("lock of " + queue);
    EnqueueRequest.Builder request =
        EnqueueRequest.newBuilder().setQueue(queue).setTask(TaskSpec.newBuilder());
    tasks.enqueue(request.setFence(fence.setToken(7)).build());
    tasks.enqueue(request.setFence(fence.setToken(7)).build());
    assertThat(refusal(() -> tasks.enqueue(request.setFence(fence.setToken(6)).build())))
        .isEqualTo("STALE_FENCE");
    assertThat(stats().getEnqueued()).isEqualTo(2);
  }

  @Test
  void cancellingEndsAWaitingTaskAndMarksARunningOne() {
    enqueue("running");
    LeasedTask running = lease(1).get(0);
    enqueue("waiting");
    assertThat(cancel("waiting")).isEqualTo(TaskState.TASK_STATE_CANCELLED);
    assertThat(cancel("waiting")).isEqualTo(TaskState.TASK_STATE_CANCELLED);
    assertThat(cancel("running")).isEqualTo(TaskState.TASK_STATE_LEASED);
    assertThat(
            tasks
                .extend(ExtendRequest.newBuilder().setAttempt(running.getAttempt()).build())
                .getCancelRequested())
        .isTrue();
    release(running, Durations.ZERO);
    assertThat(get("running").getState()).isEqualTo(TaskState.TASK_STATE_CANCELLED);
    assertThat(stats().getAttemptsCancelled()).isEqualTo(1);
  }

  @Test
  void aPausedQueueTakesButDoesNotGiveAndADrainingOneTheOtherWayRound() {
    enqueue("t");
    tasks.pauseQueue(PauseQueueRequest.newBuilder().setQueue(queue).build());
    assertThat(lease(1)).isEmpty();
    tasks.drainQueue(DrainQueueRequest.newBuilder().setQueue(queue).build());
    assertThat(refusal(() -> enqueue("u"))).isEqualTo("QUEUE_DRAINING");
    assertThat(lease(1)).hasSize(1);
    tasks.resumeQueue(ResumeQueueRequest.newBuilder().setQueue(queue).build());
    enqueue("u");
  }

  @Test
  void purgingRemovesWhatDoesNotRun() {
    EnqueueBatchRequest.Builder batch = EnqueueBatchRequest.newBuilder().setQueue(queue);
    for (int i = 0; i < 200; i++) {
      batch.addTasks(TaskSpec.newBuilder());
    }
    tasks.enqueueBatch(batch.build());
    lease(1);
    assertThat(tasks.purgeQueue(PurgeQueueRequest.newBuilder().setQueue(queue).build()).getPurged())
        .isEqualTo(199);
    assertThat(stats().getLeased()).isEqualTo(1);
  }

  @Test
  void aBatchHasAnOutcomePerTaskInOrder() {
    List<EnqueueResult> results =
        tasks
            .enqueueBatch(
                EnqueueBatchRequest.newBuilder()
                    .setQueue(queue)
                    .addTasks(TaskSpec.newBuilder().setTaskId("a"))
                    .addTasks(TaskSpec.newBuilder().setTaskId("b").setPriority(-1))
                    .addTasks(TaskSpec.newBuilder().setTaskId("c"))
                    .build())
            .getResultsList();
    assertThat(results.get(0).getAccepted().getTaskId()).isEqualTo("a");
    assertThat(results.get(1).getError().getViolations(0).getField())
        .isEqualTo("tasks[1].priority");
    assertThat(results.get(2).getAccepted().getCreated()).isTrue();
    assertThat(ids(lease(5))).containsExactly("a", "c");
  }

  @Test
  void whoWaitsForATaskHearsOfItsEnd() {
    enqueue("t");
    CompletableFuture<WaitTaskResponse> waiting =
        CompletableFuture.supplyAsync(() -> waitFor("t", Durations.fromSeconds(30)));
    complete(lease(1).get(0), "result");
    assertThat(waiting.join().getEnded()).isTrue();
    assertThat(waiting.join().getTask().getResult()).isEqualTo(bytes("result"));
    assertThat(waitFor("t", Durations.fromSeconds(30)).getEnded()).isTrue();
  }

  @Test
  void whoWaitsInVainHearsHowItStands() {
    enqueue("t");
    WaitTaskResponse response = waitFor("t", Durations.fromMillis(50));
    assertThat(response.getEnded()).isFalse();
    assertThat(response.getTask().getState()).isEqualTo(TaskState.TASK_STATE_READY);
  }

  @Test
  void aTaskThatWaitsTooLongForItsFirstAttemptIsDead() {
    enqueue(
        TaskSpec.newBuilder()
            .setTaskId("t")
            .setTimers(TaskTimers.newBuilder().setQueueLifetime(Durations.fromMillis(50))));
    await().until(() -> get("t").getState() == TaskState.TASK_STATE_DEAD);
    assertThat(get("t").getFailure().getKind()).isEqualTo("queue_lifetime");
  }

  @Test
  void anAttemptThatTakesTooLongCountsAFailure() {
    enqueue(
        TaskSpec.newBuilder()
            .setTaskId("t")
            .setRetry(RetryPolicy.newBuilder().setMaxFailures(1))
            .setTimers(TaskTimers.newBuilder().setAttemptTimeout(Durations.fromSeconds(1))));
    assertThat(lease(1)).hasSize(1);
    await().until(() -> get("t").getState() == TaskState.TASK_STATE_DEAD);
    assertThat(get("t").getFailure().getKind()).isEqualTo("attempt_timeout");
  }

  @Test
  void aListingIsReadPageByPage() {
    EnqueueBatchRequest.Builder batch = EnqueueBatchRequest.newBuilder().setQueue(queue);
    for (int i = 0; i < 25; i++) {
      batch.addTasks(TaskSpec.newBuilder().setFairnessKey("key " + i % 3));
    }
    tasks.enqueueBatch(batch.build());
    assertThat(list(TaskState.TASK_STATE_READY)).hasSize(25).doesNotHaveDuplicates();
    assertThat(
            refusal(
                () ->
                    tasks.listTasks(
                        ListTasksRequest.newBuilder()
                            .setQueue(queue)
                            .setState(TaskState.TASK_STATE_READY)
                            .setPageToken("bm9uc2Vuc2U")
                            .build())))
        .isEqualTo("INVALID_PAGE_TOKEN");
  }

  @Test
  void queuesAreListedWithTheirCounters() {
    enqueue("t");
    assertThat(
            tasks
                .listQueues(ListQueuesRequest.newBuilder().setPageSize(500).build())
                .getQueuesList())
        .anyMatch(q -> q.getName().equals(queue) && q.getStats().getReady() == 1);
  }

  @Test
  void everythingThatIsWrongIsSaidAtOnce() {
    StatusRuntimeException refused =
        catchThrowableOfType(
            StatusRuntimeException.class,
            () ->
                tasks.enqueue(
                    EnqueueRequest.newBuilder()
                        .setNamespace("No Such {Name}")
                        .setTask(
                            TaskSpec.newBuilder()
                                .setTaskId("a\u0007b")
                                .setType("x".repeat(300))
                                .setPriority(-5)
                                .setDelay(Durations.fromSeconds(-1))
                                .setPayload(ByteString.copyFrom(new byte[300 << 10]))
                                .addRequires("a,b"))
                        .build()));
    assertThat(refused.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(violations(refused))
        .containsExactlyInAnyOrder(
            "namespace",
            "queue",
            "task.task_id",
            "task.type",
            "task.priority",
            "task.delay",
            "task.payload",
            "task.requires");
  }

  @Test
  void whatDoesNotExistIsNotFound() {
    assertThat(refusal(() -> get("nothing"))).isEqualTo("TASK_NOT_FOUND");
    assertThat(refusal(this::stats)).isEqualTo("QUEUE_NOT_FOUND");
    assertThat(refusal(() -> cancel("nothing"))).isEqualTo("TASK_NOT_FOUND");
    assertThat(refusal(() -> waitFor("nothing", Durations.ZERO))).isEqualTo("TASK_NOT_FOUND");
    assertThat(
            refusal(
                () ->
                    complete(
                        LeasedTask.newBuilder()
                            .setAttempt(
                                Attempt.newBuilder()
                                    .setQueue(queue)
                                    .setTaskId("nothing")
                                    .setFencingToken(1))
                            .build(),
                        "")))
        .isEqualTo("TASK_NOT_FOUND");
  }

  private EnqueueResponse enqueue(String id) {
    return enqueue(TaskSpec.newBuilder().setTaskId(id));
  }

  private EnqueueResponse enqueue(TaskSpec.Builder task) {
    return tasks.enqueue(EnqueueRequest.newBuilder().setQueue(queue).setTask(task).build());
  }

  private List<LeasedTask> lease(int most) {
    return lease("w", most, Durations.ZERO, List.of());
  }

  private List<LeasedTask> leaseWaiting(Duration wait) {
    return lease("w", 1, wait, List.of());
  }

  private List<LeasedTask> lease(
      String worker, int most, Duration wait, List<String> capabilities) {
    return tasks
        .lease(
            LeaseRequest.newBuilder()
                .setQueue(queue)
                .setWorkerId(worker)
                .setMaxTasks(most)
                .setWait(wait)
                .addAllCapabilities(capabilities)
                .build())
        .getTasksList();
  }

  private void complete(LeasedTask task, String result) {
    tasks.complete(
        CompleteRequest.newBuilder()
            .setAttempt(task.getAttempt())
            .setResult(bytes(result))
            .build());
  }

  private FailResponse fail(LeasedTask task, Failure.Builder failure) {
    return tasks.fail(
        FailRequest.newBuilder().setAttempt(task.getAttempt()).setFailure(failure).build());
  }

  private void release(LeasedTask task, Duration delay) {
    tasks.release(
        ReleaseRequest.newBuilder().setAttempt(task.getAttempt()).setDelay(delay).build());
  }

  private void extend(LeasedTask task) {
    tasks.extend(ExtendRequest.newBuilder().setAttempt(task.getAttempt()).build());
  }

  private TaskState cancel(String id) {
    return tasks
        .cancelTask(CancelTaskRequest.newBuilder().setQueue(queue).setTaskId(id).build())
        .getState();
  }

  private Task get(String id) {
    return tasks
        .getTask(GetTaskRequest.newBuilder().setQueue(queue).setTaskId(id).build())
        .getTask();
  }

  private WaitTaskResponse waitFor(String id, Duration timeout) {
    return tasks.waitTask(
        WaitTaskRequest.newBuilder().setQueue(queue).setTaskId(id).setTimeout(timeout).build());
  }

  private void configure(QueueSettings.Builder settings) {
    tasks.configureQueue(
        ConfigureQueueRequest.newBuilder().setQueue(queue).setSettings(settings).build());
  }

  private QueueStats stats() {
    return tasks
        .getQueue(GetQueueRequest.newBuilder().setQueue(queue).build())
        .getQueue()
        .getStats();
  }

  private List<String> list(TaskState state) {
    List<String> ids = new ArrayList<>();
    String token = "";
    do {
      ListTasksResponse page =
          tasks.listTasks(
              ListTasksRequest.newBuilder()
                  .setQueue(queue)
                  .setState(state)
                  .setPageSize(7)
                  .setPageToken(token)
                  .build());
      page.getTasksList().forEach(task -> ids.add(task.getTaskId()));
      token = page.getNextPageToken();
    } while (!token.isEmpty());
    return ids;
  }

  private static List<String> ids(List<LeasedTask> tasks) {
    return tasks.stream().map(task -> task.getAttempt().getTaskId()).toList();
  }

  private static ByteString bytes(String text) {
    return ByteString.copyFromUtf8(text);
  }

  private static String refusal(org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOf(StatusRuntimeException.class);
    return reason(catchThrowableOfType(StatusRuntimeException.class, call));
  }

  private static String reason(StatusRuntimeException refused) {
    return details(refused, ErrorInfo.class).get(0).getReason();
  }

  private static List<String> violations(StatusRuntimeException refused) {
    return details(refused, BadRequest.class).get(0).getFieldViolationsList().stream()
        .map(BadRequest.FieldViolation::getField)
        .toList();
  }

  private static <T extends com.google.protobuf.Message> List<T> details(
      StatusRuntimeException refused, Class<T> type) {
    List<T> found = new ArrayList<>();
    var status = StatusProto.fromThrowable(refused);
    if (status != null) {
      for (var any : status.getDetailsList()) {
        if (any.is(type)) {
          try {
            found.add(any.unpack(type));
          } catch (com.google.protobuf.InvalidProtocolBufferException e) {
            throw new AssertionError(e);
          }
        }
      }
    }
    return found;
  }
}
