package dev.troupe.server.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import com.google.protobuf.util.Durations;
import com.google.protobuf.util.Timestamps;
import dev.troupe.server.crash.TroupeOnRedis;
import dev.troupe.server.grpc.Refusal;
import dev.troupe.v1.Attempt;
import dev.troupe.v1.CancelTaskRequest;
import dev.troupe.v1.CompleteRequest;
import dev.troupe.v1.ConfigureQueueRequest;
import dev.troupe.v1.ConflictPolicy;
import dev.troupe.v1.DrainQueueRequest;
import dev.troupe.v1.EnqueueBatchRequest;
import dev.troupe.v1.EnqueueRequest;
import dev.troupe.v1.EnqueueResponse;
import dev.troupe.v1.EnqueueResult;
import dev.troupe.v1.ExtendRequest;
import dev.troupe.v1.FailRequest;
import dev.troupe.v1.Failure;
import dev.troupe.v1.Fence;
import dev.troupe.v1.LeaseRequest;
import dev.troupe.v1.LeasedTask;
import dev.troupe.v1.ListQueuesRequest;
import dev.troupe.v1.ListTasksRequest;
import dev.troupe.v1.PauseQueueRequest;
import dev.troupe.v1.Progress;
import dev.troupe.v1.PurgeQueueRequest;
import dev.troupe.v1.QueueSettings;
import dev.troupe.v1.QueueStats;
import dev.troupe.v1.RedriveTasksRequest;
import dev.troupe.v1.ReleaseRequest;
import dev.troupe.v1.ReportProgressRequest;
import dev.troupe.v1.ResumeQueueRequest;
import dev.troupe.v1.Task;
import dev.troupe.v1.TaskSpec;
import dev.troupe.v1.TaskState;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/** Calls that come twice, too late or wrong, and those that go over many tasks. */
abstract class TaskCallsContract extends TaskQueueFixture {

  TaskCallsContract(TroupeOnRedis fixture) {
    super(fixture);
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
  void progressIsShownWithItsTime() {
    enqueue("t");
    LeasedTask task = lease(1).get(0);
    tasks.reportProgress(
        ReportProgressRequest.newBuilder()
            .setAttempt(task.getAttempt())
            .setProgress(Progress.newBuilder().setFraction(0.5).setMessage("half of it"))
            .build());
    Task shown = get("t");
    assertThat(shown.getProgress().getFraction()).isEqualTo(0.5);
    assertThat(shown.getProgress().getMessage()).isEqualTo("half of it");
    assertThat(Timestamps.compare(shown.getProgress().getTime(), shown.getStartTime()))
        .isGreaterThan(0);
    complete(task, "done");
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
}
