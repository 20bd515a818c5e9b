package dev.troupe.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import dev.troupe.server.crash.TroupeProcess;
import dev.troupe.v1.EnqueueResult;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.FieldViolation;
import dev.troupe.v1.ListTasksRequest;
import dev.troupe.v1.QueueMode;
import dev.troupe.v1.TaskSpec;
import dev.troupe.v1.TaskState;
import io.grpc.Status;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

@SuppressWarnings("NullAway.Init")
final class TaskClientTest {

  private static TroupeProcess server;
  private static TroupeClient client;
  private final String queue = "q-" + UUID.randomUUID();

  @BeforeAll
  static void start() throws Exception {
    server = new TroupeProcess();
    client = TroupeClient.builder("127.0.0.1:" + server.port).namespace("client-test").build();
  }

  @AfterAll
  static void stop() throws Exception {
    client.close();
    server.close();
  }

  @Test
  void manyTasksGoInBatchesAndComeBackInOrder() {
    List<TaskSpec> tasks =
        IntStream.range(0, 2_500)
            .mapToObj(
                i ->
                    TaskSpec.newBuilder()
                        .setTaskId("t" + i)
                        .setPayload(ByteString.copyFrom(new byte[2_000]))
                        .build())
            .toList();
    List<EnqueueResult> results = client.blockingTasks().enqueueAll(queue, tasks);
    assertThat(results)
        .extracting(result -> result.getAccepted().getTaskId())
        .containsExactlyElementsOf(tasks.stream().map(TaskSpec::getTaskId).toList());
    assertThat(client.blockingTasks().queue(queue).getStats().getReady()).isEqualTo(2_500);
  }

  @Test
  void aRefusedItemOfABatchDoesNotHarmTheOthers() {
    List<EnqueueResult> results =
        client
            .blockingTasks()
            .enqueueAll(
                queue,
                List.of(
                    TaskSpec.newBuilder().setTaskId("good").build(),
                    TaskSpec.newBuilder().setTaskId("bad").setPriority(17).build()));
    assertThat(results.get(0).getAccepted().getCreated()).isTrue();
    TroupeClientException refusal = TroupeClientException.of(results.get(1).getError());
    assertThat(refusal.reason()).isEqualTo(ErrorReason.ERROR_REASON_INVALID_FIELD);
    assertThat(refusal.violations())
        .extracting(FieldViolation::getField)
        .containsExactly("tasks[1].priority");
  }

  @Test
  void aRefusalCarriesItsReasonAndEveryViolation() {
    TroupeClientException refusal =
        catchThrowableOfType(
            TroupeClientException.class,
            () ->
                client.blockingTasks().enqueue("", TaskSpec.newBuilder().setPriority(-1).build()));
    assertThat(refusal.code()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(refusal.reason()).isEqualTo(ErrorReason.ERROR_REASON_INVALID_FIELD);
    assertThat(refusal.violations()).hasSize(2);
    assertThat(refusal).hasMessageContaining("queue").hasMessageContaining("priority");
    assertThat(refusal.isPassing()).isFalse();

    TroupeClientException unknown =
        catchThrowableOfType(
            TroupeClientException.class, () -> client.blockingTasks().get(queue, "nobody"));
    assertThat(unknown.reason()).isEqualTo(ErrorReason.ERROR_REASON_TASK_NOT_FOUND);
  }

  @Test
  void theNamespaceOfTheClientIsThatOfItsCalls() {
    client.blockingTasks().enqueue(queue, TaskSpec.newBuilder().setTaskId("here").build());
    try (TroupeClient elsewhere = TroupeClient.connect("127.0.0.1:" + server.port)) {
      TroupeClientException unknown =
          catchThrowableOfType(
              TroupeClientException.class, () -> elsewhere.blockingTasks().get(queue, "here"));
      assertThat(unknown.code()).isEqualTo(Status.Code.NOT_FOUND);
    }
  }

  @Test
  void waitingEndsWithTheTaskOrWithItsTimeout() {
    client.blockingTasks().enqueue(queue, TaskSpec.newBuilder().setTaskId("slow").build());
    var early = client.blockingTasks().awaitEnd(queue, "slow", Duration.ofMillis(50));
    assertThat(early.getEnded()).isFalse();
    assertThat(early.getTask().getState()).isEqualTo(TaskState.TASK_STATE_READY);

    var waiting = client.tasks().await(queue, "slow", Duration.ofSeconds(30));
    client.blockingTasks().cancel(queue, "slow", "no longer needed");
    assertThat(waiting.join().getTask().getState()).isEqualTo(TaskState.TASK_STATE_CANCELLED);
  }

  @Test
  void aWaitThatIsCancelledFreesItsCall() {
    client.blockingTasks().enqueue(queue, TaskSpec.newBuilder().setTaskId("t").build());
    CompletableFuture<?> waiting = client.tasks().await(queue, "t", Duration.ofSeconds(30));
    assertThat(waiting.cancel(true)).isTrue();
    assertThat(client.blockingTasks().get(queue, "t").getTaskId()).isEqualTo("t");
  }

  @Test
  void aQueueIsPausedResumedDrainedListedAndPurged() {
    BlockingTaskClient tasks = client.blockingTasks();
    tasks.enqueue(queue, TaskSpec.newBuilder().setTaskId("t").build());
    assertThat(tasks.pause(queue).getMode()).isEqualTo(QueueMode.QUEUE_MODE_PAUSED);
    assertThat(tasks.resume(queue).getMode()).isEqualTo(QueueMode.QUEUE_MODE_ACTIVE);
    assertThat(tasks.drain(queue).getMode()).isEqualTo(QueueMode.QUEUE_MODE_DRAINING);
    assertThat(
            tasks
                .list(
                    ListTasksRequest.newBuilder()
                        .setQueue(queue)
                        .setState(TaskState.TASK_STATE_READY)
                        .build())
                .getTasksList())
        .hasSize(1);
    assertThat(tasks.purge(queue)).isEqualTo(1);
  }
}
