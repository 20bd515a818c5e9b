package dev.troupe.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import dev.troupe.server.crash.TroupeProcess;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.RetryPolicy;
import dev.troupe.v1.StopReason;
import dev.troupe.v1.Task;
import dev.troupe.v1.TaskSpec;
import dev.troupe.v1.TaskState;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

@SuppressWarnings("NullAway.Init")
final class WorkerTest {

  private static final ByteString RESULT = ByteString.copyFromUtf8("done");
  private static TroupeProcess server;
  private static TroupeClient client;
  private final String queue = "q-" + UUID.randomUUID();
  private final CountDownLatch begun = new CountDownLatch(1);
  private final CountDownLatch goOn = new CountDownLatch(1);

  @BeforeAll
  static void start() throws Exception {
    server = new TroupeProcess();
    client = TroupeClient.connect("127.0.0.1:" + server.port);
  }

  @AfterAll
  static void stop() throws Exception {
    client.close();
    server.close();
  }

  @AfterEach
  void letGo() {
    goOn.countDown();
  }

  @Test
  void everyTaskIsHandledOnceByAsManyThreadsAsThereAreSlots() {
    List<TaskSpec> tasks =
        IntStream.range(0, 600)
            .mapToObj(i -> TaskSpec.newBuilder().setTaskId("t" + i).build())
            .toList();
    client.blockingTasks().enqueueAll(queue, tasks);
    Set<String> seen = ConcurrentHashMap.newKeySet();
    Set<String> threads = ConcurrentHashMap.newKeySet();
    try (Worker worker =
        worker("many")
            .slots(8)
            .start(
                task -> {
                  assertThat(seen.add(task.leased().getAttempt().getTaskId())).isTrue();
                  threads.add(Thread.currentThread().getName());
                  return RESULT;
                })) {
      await().until(() -> client.blockingTasks().queue(queue).getStats().getSucceeded() == 600);
      await().until(() -> worker.held() == 0);
    }
    assertThat(threads).hasSizeLessThanOrEqualTo(8);
    assertThat(client.blockingTasks().queue(queue).getStats().getLeasesGranted()).isEqualTo(600);
  }

  @Test
  void aFailureIsRetriedAsTheHandlerSays() {
    enqueue("later");
    enqueue("never");
    enqueue("bug");
    try (Worker worker =
        worker("failing")
            .slots(3)
            .start(
                task -> {
                  if (task.attemptNumber() > 1) {
                    return RESULT;
                  }
                  throw switch (task.leased().getAttempt().getTaskId()) {
                    case "later" ->
                        TaskFailure.of("busy", "come back").retryAfter(Duration.ofMillis(10));
                    case "never" -> TaskFailure.notRetryable("broken", "no use");
                    default -> new IllegalStateException("a bug");
                  };
                })) {
      assertThat(ended("later").getFailures()).isEqualTo(1);
      assertThat(ended("never").getState()).isEqualTo(TaskState.TASK_STATE_DEAD);
      assertThat(ended("never").getFailure().getKind()).isEqualTo("broken");
      assertThat(ended("bug").getFailure().getKind()).isEqualTo("java.lang.IllegalStateException");
      assertThat(worker.done()).isNotDone();
    }
  }

  @Test
  void whatIsGivenBackKeepsItsCheckpointAndCountsNoFailure() {
    enqueue("t");
    try (Worker worker =
        worker("releasing")
            .start(
                task -> {
                  if (task.attemptNumber() == 1) {
                    task.checkpoint(ByteString.copyFromUtf8("half"));
                    task.progress(0.5, "half-way");
                    await().until(() -> get("t").getProgress().getFraction() == 0.5);
                    throw new TaskRelease(Duration.ZERO, "later");
                  }
                  return task.lastCheckpoint();
                })) {
      Task task = ended("t");
      assertThat(task.getResult().toStringUtf8()).isEqualTo("half");
      assertThat(task.getFailures()).isZero();
      assertThat(task.getReleases()).isEqualTo(1);
      assertThat(worker.done()).isNotDone();
    }
  }

  @Test
  void aCancelledTaskInterruptsItsHandler() {
    enqueue("t");
    try (Worker worker = worker("cancelled").start(this::waitToGoOn)) {
      await().until(() -> begun.getCount() == 0);
      client.blockingTasks().cancel(queue, "t", "not needed");
      assertThat(ended("t").getState()).isEqualTo(TaskState.TASK_STATE_CANCELLED);
      await().until(() -> worker.held() == 0);
    }
  }

  @Test
  void aResultThatIsTooLargeEndsTheTaskWithTheReason() {
    enqueue("t");
    try (Worker worker = worker("large").start(task -> ByteString.copyFrom(new byte[2 << 20]))) {
      Task task = ended("t");
      assertThat(task.getState()).isEqualTo(TaskState.TASK_STATE_DEAD);
      assertThat(task.getFailure().getKind()).isEqualTo("result_refused");
      await().until(() -> worker.held() == 0);
    }
  }

  @Test
  void aWorkerThatStopsFinishesWhatItHoldsAndTakesNothingMore() {
    enqueue("held");
    Worker worker = worker("stopping").start(this::waitToGoOn);
    await().until(() -> begun.getCount() == 0);
    CompletableFuture<Void> stopped = worker.stop(Duration.ofSeconds(30));
    enqueue("next");
    assertThat(stopped).isNotDone();
    goOn.countDown();
    stopped.join();
    assertThat(get("held").getState()).isEqualTo(TaskState.TASK_STATE_SUCCEEDED);
    assertThat(get("next").getAttempts()).isZero();
  }

  @Test
  void whatIsUnfinishedAfterTheGraceIsGivenBack() {
    enqueue("t");
    Worker worker = worker("impatient").start(this::waitToGoOn);
    await().until(() -> begun.getCount() == 0);
    worker.close();
    assertThat(get("t").getState()).isEqualTo(TaskState.TASK_STATE_READY);
    assertThat(get("t").getReleases()).isEqualTo(1);
    assertThat(get("t").getFailures()).isZero();
  }

  @Test
  void aSecondWorkerOfTheSameIdEndsTheFirst() {
    enqueue("t");
    CompletableFuture<StopReason> stopped = new CompletableFuture<>();
    Worker first =
        worker("twin")
            .startAsync(
                task -> {
                  task.stopped().thenAccept(stopped::complete);
                  return new CompletableFuture<>();
                });
    await().until(() -> first.held() == 1);
    try (Worker second = worker("twin").start(task -> RESULT)) {
      assertThat(stopped.orTimeout(10, TimeUnit.SECONDS).join())
          .isEqualTo(StopReason.STOP_REASON_LEASE_LOST);
      await().until(() -> first.done().isCompletedExceptionally());
      TroupeClientException reason =
          TroupeClientException.of(first.done().handle((ended, failure) -> failure).join());
      assertThat(reason.reason()).isEqualTo(ErrorReason.ERROR_REASON_SESSION_REPLACED);
      assertThat(ended("t").getState()).isEqualTo(TaskState.TASK_STATE_SUCCEEDED);
      assertThat(second.done()).isNotDone();
    }
  }

  @Test
  void workInHandOutlivesAKilledServer() throws Exception {
    enqueue("t");
    try (Worker worker = worker("patient").start(this::waitToGoOn)) {
      await().until(() -> begun.getCount() == 0);
      server.killAndRestart();
      goOn.countDown();
      Task task = ended("t");
      assertThat(task.getState()).isEqualTo(TaskState.TASK_STATE_SUCCEEDED);
      assertThat(task.getAttempts()).isEqualTo(1);
      assertThat(worker.done()).isNotDone();
    }
  }

  @Test
  void aWorkerThatTheServerRefusesSaysWhy() {
    Worker nameless = client.worker("").id("w").start(task -> RESULT);
    CompletionException failure =
        org.assertj.core.api.Assertions.catchThrowableOfType(
            CompletionException.class,
            () -> nameless.done().orTimeout(10, TimeUnit.SECONDS).join());
    assertThat(TroupeClientException.of(failure).violations()).isNotEmpty();
  }

  private Worker.Builder worker(String id) {
    return client.worker(queue).id(id);
  }

  private ByteString waitToGoOn(TaskContext task) throws InterruptedException {
    begun.countDown();
    goOn.await();
    return RESULT;
  }

  private void enqueue(String id) {
    client
        .blockingTasks()
        .enqueue(
            queue,
            TaskSpec.newBuilder()
                .setTaskId(id)
                .setRetry(
                    RetryPolicy.newBuilder().setInitialBackoff(Durations.of(Duration.ofMillis(10))))
                .build());
  }

  private Task get(String id) {
    return client.blockingTasks().get(queue, id);
  }

  private Task ended(String id) {
    var answer = client.blockingTasks().awaitEnd(queue, id, Duration.ofSeconds(30));
    assertThat(answer.getEnded()).isTrue();
    return answer.getTask();
  }
}
