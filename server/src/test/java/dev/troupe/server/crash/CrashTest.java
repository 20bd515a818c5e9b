package dev.troupe.server.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import dev.troupe.v1.Attempt;
import dev.troupe.v1.CompleteRequest;
import dev.troupe.v1.EnqueueBatchRequest;
import dev.troupe.v1.EnqueueBatchResponse;
import dev.troupe.v1.EnqueueResult;
import dev.troupe.v1.EventDelivery;
import dev.troupe.v1.EventStreamServiceGrpc;
import dev.troupe.v1.GetQueueRequest;
import dev.troupe.v1.ListTasksRequest;
import dev.troupe.v1.QueueStats;
import dev.troupe.v1.StartPosition;
import dev.troupe.v1.SubscribeRequest;
import dev.troupe.v1.SubscribeResponse;
import dev.troupe.v1.Task;
import dev.troupe.v1.TaskQueueServiceGrpc;
import dev.troupe.v1.TaskQueueServiceGrpc.TaskQueueServiceBlockingStub;
import dev.troupe.v1.TaskSpec;
import dev.troupe.v1.TaskState;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * Processes are killed in the middle of 5,000 tasks. Afterwards every task whose enqueue was
 * acknowledged has ended exactly once, the counters add up, and the attempts that were overtaken
 * can change nothing.
 */
final class CrashTest {

  private static final int TASKS = 5000;
  private static final String QUEUE = "crash";

  @Test
  void aKilledServerLosesNoTaskAndRunsNoneTwice() throws Exception {
    try (TroupeProcess server = new TroupeProcess();
        CrashWorker a = new CrashWorker(server.port, "a", QUEUE, 50, 5);
        CrashWorker b = new CrashWorker(server.port, "b", QUEUE, 50, 5)) {
      Set<String> accepted = enqueue(server, 0, TASKS / 2);
      awaitEnded(server, TASKS / 10);
      server.killAndRestart();
      accepted.addAll(enqueue(server, TASKS / 2, TASKS));
      awaitAllEnded(server, accepted);
    }
  }

  @Test
  void aKilledRedisLosesNoTaskAndRunsNoneTwice() throws Exception {
    try (TroupeProcess server = new TroupeProcess();
        CrashWorker a = new CrashWorker(server.port, "a", QUEUE, 50, 5);
        CrashWorker b = new CrashWorker(server.port, "b", QUEUE, 50, 5)) {
      Set<String> accepted = enqueue(server, 0, TASKS / 2);
      awaitEnded(server, TASKS / 10);
      server.killRedis();
      accepted.addAll(enqueue(server, TASKS / 2, TASKS));
      awaitAllEnded(server, accepted);
    }
  }

  @Test
  void theTasksOfAKilledWorkerRunElsewhereWithinSixSecondsAndItsOldLeasesAreRefused()
      throws Exception {
    try (TroupeProcess server = new TroupeProcess()) {
      final Set<String> accepted = enqueue(server, 0, TASKS);
      Process victim =
          TroupeProcess.java(
              CrashWorker.class, Integer.toString(server.port), "victim", QUEUE, "20", "600000");
      List<Task> held;
      try {
        await().until(() -> leased(server).size() == 20);
        held = leased(server);
      } finally {
        victim.destroyForcibly().waitFor();
      }
      long killed = System.nanoTime();
      try (CrashWorker heir = new CrashWorker(server.port, "heir", QUEUE, 100, 0)) {
        await()
            .pollInterval(Duration.ofMillis(20))
            .until(() -> leased(server).stream().noneMatch(t -> t.getWorkerId().equals("victim")));
        assertThat(Duration.ofNanos(System.nanoTime() - killed)).isLessThan(Duration.ofSeconds(6));
        awaitAllEnded(server, accepted);
      }
      ManagedChannel channel = server.channel();
      try {
        for (Task task : held) {
          assertThatThrownBy(
                  () ->
                      TaskQueueServiceGrpc.newBlockingStub(channel)
                          .complete(
                              CompleteRequest.newBuilder()
                                  .setAttempt(
                                      Attempt.newBuilder()
                                          .setQueue(QUEUE)
                                          .setTaskId(task.getTaskId())
                                          .setFencingToken(task.getFencingToken()))
                                  .setResult(ByteString.copyFromUtf8("too late"))
                                  .build()))
              .isInstanceOf(StatusRuntimeException.class)
              .hasMessageContaining("the lease is no longer this attempt's");
        }
      } finally {
        channel.shutdownNow();
      }
    }
  }

  /** Enqueues until all are acknowledged, repeating what was not with the same ids. */
  private static Set<String> enqueue(TroupeProcess server, int from, int to) {
    Set<String> accepted = new HashSet<>();
    ManagedChannel channel = server.channel();
    try {
      TaskQueueServiceBlockingStub tasks = TaskQueueServiceGrpc.newBlockingStub(channel);
      for (int start = from; start < to; start += 100) {
        EnqueueBatchRequest.Builder batch = EnqueueBatchRequest.newBuilder().setQueue(QUEUE);
        for (int i = start; i < Math.min(to, start + 100); i++) {
          batch.addTasks(TaskSpec.newBuilder().setTaskId("task-" + i));
        }
        await()
            .pollInterval(Duration.ofMillis(50))
            .until(() -> acceptedAll(tasks, batch.build(), accepted));
      }
    } finally {
      channel.shutdownNow();
    }
    return accepted;
  }

  private static boolean acceptedAll(
      TaskQueueServiceBlockingStub tasks, EnqueueBatchRequest batch, Set<String> accepted) {
    EnqueueBatchResponse response;
    try {
      response = tasks.enqueueBatch(batch);
    } catch (StatusRuntimeException e) {
      return false;
    }
    for (EnqueueResult result : response.getResultsList()) {
      if (!result.hasAccepted()) {
        return false;
      }
      accepted.add(result.getAccepted().getTaskId());
    }
    return true;
  }

  private static QueueStats stats(TroupeProcess server) {
    ManagedChannel channel = server.channel();
    try {
      return TaskQueueServiceGrpc.newBlockingStub(channel)
          .getQueue(GetQueueRequest.newBuilder().setQueue(QUEUE).build())
          .getQueue()
          .getStats();
    } finally {
      channel.shutdownNow();
    }
  }

  private static List<Task> leased(TroupeProcess server) {
    ManagedChannel channel = server.channel();
    try {
      return TaskQueueServiceGrpc.newBlockingStub(channel)
          .listTasks(
              ListTasksRequest.newBuilder()
                  .setQueue(QUEUE)
                  .setState(TaskState.TASK_STATE_LEASED)
                  .setPageSize(500)
                  .build())
          .getTasksList();
    } finally {
      channel.shutdownNow();
    }
  }

  private static void awaitEnded(TroupeProcess server, int count) {
    await().pollInterval(Duration.ofMillis(20)).until(() -> stats(server).getSucceeded() >= count);
  }

  private static void awaitAllEnded(TroupeProcess server, Set<String> accepted) {
    assertThat(accepted).hasSize(TASKS);
    await()
        .pollInterval(Duration.ofMillis(100))
        .atMost(Duration.ofSeconds(90))
        .ignoreExceptions()
        .untilAsserted(() -> assertThat(stats(server).getSucceeded()).isEqualTo(TASKS));
    QueueStats stats = stats(server);
    assertThat(stats.getEnqueued()).isEqualTo(TASKS);
    assertThat(stats.getReady() + stats.getDelayed() + stats.getLeased() + stats.getDead())
        .isZero();
    assertThat(stats.getLeasesGranted())
        .isEqualTo(
            stats.getAttemptsCompleted()
                + stats.getAttemptsFailed()
                + stats.getAttemptsExpired()
                + stats.getAttemptsReleased()
                + stats.getAttemptsCancelled());
    assertThat(stats.getAttemptsCompleted()).isEqualTo(TASKS);
    Map<String, Integer> completions = completions(server);
    assertThat(completions.keySet()).isEqualTo(accepted);
    assertThat(completions.values()).containsOnly(1);
  }

  /** How often each task was completed, by the log that every change is written to. */
  private static Map<String, Integer> completions(TroupeProcess server) {
    Map<String, Integer> completions = new HashMap<>();
    ManagedChannel channel = server.channel();
    try {
      Iterator<SubscribeResponse> events =
          EventStreamServiceGrpc.newBlockingStub(channel)
              .subscribe(
                  SubscribeRequest.newBuilder()
                      .addTopics("troupe.tasks")
                      .addTypes("task.completed")
                      .setStart(StartPosition.START_POSITION_BEGINNING)
                      .build());
      List<EventDelivery> read = new ArrayList<>();
      while (events.hasNext()) {
        SubscribeResponse response = events.next();
        read.addAll(response.getBatch().getDeliveriesList());
        if (response.hasCaughtUp()) {
          break;
        }
      }
      read.forEach(
          delivery ->
              completions.merge(delivery.getEvent().getTask().getTaskId(), 1, Integer::sum));
    } finally {
      channel.shutdownNow();
    }
    return completions;
  }
}
