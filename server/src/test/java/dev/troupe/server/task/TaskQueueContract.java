package dev.troupe.server.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.google.common.util.concurrent.ListenableFuture;
import com.google.protobuf.util.Durations;
import dev.troupe.server.crash.TroupeOnRedis;
import dev.troupe.v1.CompleteRequest;
import dev.troupe.v1.CompleteResponse;
import dev.troupe.v1.EnqueueRequest;
import dev.troupe.v1.EnqueueResponse;
import dev.troupe.v1.ExtendRequest;
import dev.troupe.v1.FailResponse;
import dev.troupe.v1.Failure;
import dev.troupe.v1.LeasedTask;
import dev.troupe.v1.RedriveTasksRequest;
import dev.troupe.v1.RetryPolicy;
import dev.troupe.v1.Task;
import dev.troupe.v1.TaskQueueServiceGrpc;
import dev.troupe.v1.TaskSpec;
import dev.troupe.v1.TaskState;
import dev.troupe.v1.TaskTimers;
import dev.troupe.v1.WaitTaskResponse;
import io.grpc.StatusRuntimeException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** A task from its enqueueing over its attempts to its end. */
abstract class TaskQueueContract extends TaskQueueFixture {

  TaskQueueContract(TroupeOnRedis fixture) {
    super(fixture);
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
}
