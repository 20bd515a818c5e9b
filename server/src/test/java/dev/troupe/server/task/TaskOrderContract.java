package dev.troupe.server.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.util.Durations;
import dev.troupe.server.crash.TroupeOnRedis;
import dev.troupe.v1.DrainQueueRequest;
import dev.troupe.v1.EnqueueBatchRequest;
import dev.troupe.v1.LeasedTask;
import dev.troupe.v1.PauseQueueRequest;
import dev.troupe.v1.QueueSettings;
import dev.troupe.v1.ResumeQueueRequest;
import dev.troupe.v1.TaskSpec;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Which task goes next, to whom, and when. */
abstract class TaskOrderContract extends TaskQueueFixture {

  TaskOrderContract(TroupeOnRedis fixture) {
    super(fixture);
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
}
