package dev.troupe.server.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.util.Durations;
import dev.troupe.v1.Agent;
import dev.troupe.v1.AgentFigures;
import dev.troupe.v1.CompleteRequest;
import dev.troupe.v1.DeregisterAgentRequest;
import dev.troupe.v1.EnqueueRequest;
import dev.troupe.v1.FailRequest;
import dev.troupe.v1.Failure;
import dev.troupe.v1.LeaseRequest;
import dev.troupe.v1.LeasedTask;
import dev.troupe.v1.TaskQueueServiceGrpc;
import dev.troupe.v1.TaskQueueServiceGrpc.TaskQueueServiceBlockingStub;
import dev.troupe.v1.TaskSpec;
import dev.troupe.v1.TaskTimers;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What the queues say of an agent's work. */
interface AgentFiguresContract extends AgentContract {

  private TaskQueueServiceBlockingStub tasks() {
    return TaskQueueServiceGrpc.newBlockingStub(agents().channelB())
        .withDeadlineAfter(60, TimeUnit.SECONDS);
  }

  private LeasedTask lease(String queue, String worker) {
    tasks()
        .enqueue(
            EnqueueRequest.newBuilder()
                .setNamespace(agents().namespace())
                .setQueue(queue)
                .setTask(
                    TaskSpec.newBuilder()
                        .setTimers(
                            TaskTimers.newBuilder().setLeaseDuration(Durations.fromSeconds(1))))
                .build());
    return tasks()
        .lease(
            LeaseRequest.newBuilder()
                .setNamespace(agents().namespace())
                .setQueue(queue)
                .setWorkerId(worker)
                .build())
        .getTasks(0);
  }

  private void complete(LeasedTask task) {
    tasks()
        .complete(
            CompleteRequest.newBuilder()
                .setNamespace(agents().namespace())
                .setAttempt(task.getAttempt())
                .build());
  }

  @Test
  default void figuresComeFromTheQueuesAndOutliveTheSession() {
    Agent session = agents().register(agents().agent("w").setLeaseDuration(Durations.fromHours(1)));
    assertThat(session.hasFigures()).isFalse();
    for (int i = 0; i < 6; i++) {
      complete(lease("q" + i, "w"));
      complete(lease("q" + i, "no agent"));
    }
    LeasedTask failing = lease("failing", "w");
    tasks()
        .fail(
            FailRequest.newBuilder()
                .setNamespace(agents().namespace())
                .setAttempt(failing.getAttempt())
                .setFailure(Failure.newBuilder().setKind("k").setNonRetryable(true))
                .build());
    lease("lost", "w");
    await()
        .pollInterval(Duration.ofMillis(100))
        .until(() -> agents().get("w").getFigures().getTasksLost() == 1);
    AgentFigures figures = agents().get("w").getFigures();
    assertThat(figures.toBuilder().clearMeanResponseTime().build())
        .isEqualTo(
            AgentFigures.newBuilder()
                .setTasksSucceeded(6)
                .setTasksFailed(1)
                .setTasksLost(1)
                .setSuccessRate(0.75)
                .build());
    assertThat(Durations.toMicros(figures.getMeanResponseTime())).isBetween(1L, 10_000_000L);
    assertThat(agents().get("w")).isEqualTo(session.toBuilder().setFigures(figures).build());
    assertThat(agents().list(agents().listing()))
        .containsExactly(session.toBuilder().setFigures(figures).build());
    agents()
        .a()
        .deregisterAgent(
            DeregisterAgentRequest.newBuilder()
                .setNamespace(agents().namespace())
                .setAgentId("w")
                .build());
    assertThat(agents().get("w").getFigures()).isEqualTo(figures);
    assertThat(agents().register(agents().agent("w")).getFigures()).isEqualTo(figures);
  }
}
