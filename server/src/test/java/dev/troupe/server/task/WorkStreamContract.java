package dev.troupe.server.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import dev.troupe.server.crash.TroupeOnRedis;
import dev.troupe.server.crash.TroupeProcess;
import dev.troupe.v1.Attempt;
import dev.troupe.v1.AttemptComplete;
import dev.troupe.v1.AttemptFail;
import dev.troupe.v1.AttemptRelease;
import dev.troupe.v1.CancelTaskRequest;
import dev.troupe.v1.DeliveryAck;
import dev.troupe.v1.EnqueueRequest;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.Failure;
import dev.troupe.v1.GetTaskRequest;
import dev.troupe.v1.SetSlots;
import dev.troupe.v1.StopReason;
import dev.troupe.v1.Task;
import dev.troupe.v1.TaskQueueServiceGrpc;
import dev.troupe.v1.TaskSpec;
import dev.troupe.v1.TaskState;
import dev.troupe.v1.WorkRequest;
import dev.troupe.v1.WorkResponse;
import dev.troupe.v1.WorkerHeartbeat;
import dev.troupe.v1.WorkerHello;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** The worker's stream against a real server, message by message. */
@SuppressWarnings("NullAway.Init")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class WorkStreamContract {

  private final TroupeOnRedis fixture;
  private TroupeProcess server;
  private ManagedChannel channel;
  private String queue;

  WorkStreamContract(TroupeOnRedis fixture) {
    this.fixture = fixture;
  }

  @BeforeAll
  void start() throws Exception {
    server = fixture.start();
    channel = server.channel();
  }

  @BeforeEach
  void ownQueue() {
    queue = "q-" + UUID.randomUUID();
  }

  @AfterAll
  void stop() throws Exception {
    channel.shutdownNow();
    fixture.close();
  }

  @Test
  void tasksComeAsSlotsAreFree() {
    Worker worker = new Worker(channel, "w").hello(1);
    enqueue("a");
    enqueue("b");
    Attempt first = worker.task();
    worker.heartbeatAndHearNothingMore();
    worker.complete(first);
    assertThat(worker.outcome().getError().getReason())
        .isEqualTo(ErrorReason.ERROR_REASON_UNSPECIFIED);
    assertThat(worker.task().getTaskId()).isEqualTo("b");
    worker.leave();
  }

  /**
   * On a fresh server the heartbeat's script is not in Redis yet, so it arrives a round trip later
   * than the completion sent after it, and finds the attempt gone.
   */
  @Test
  void aHeartbeatOvertakenByTheCompletionDoesNotStopTheTask() throws Exception {
    try (TroupeProcess fresh = new TroupeProcess()) {
      ManagedChannel own = fresh.channel();
      for (String id : List.of("loads-the-scripts", "a", "b")) {
        TaskQueueServiceGrpc.newBlockingStub(own)
            .enqueue(
                EnqueueRequest.newBuilder()
                    .setQueue(queue)
                    .setTask(TaskSpec.newBuilder().setTaskId(id))
                    .build());
      }
      Worker worker = new Worker(own, "hasty").hello(1);
      worker.complete(worker.task());
      assertThat(worker.outcome().hasError()).isFalse();
      Attempt attempt = worker.task();
      worker.send(
          WorkRequest.newBuilder().setHeartbeat(WorkerHeartbeat.getDefaultInstance()).build());
      worker.complete(attempt);
      assertThat(worker.outcome().hasError()).isFalse();
      assertThat(worker.task().getTaskId()).isEqualTo("b");
      own.shutdownNow();
    }
  }

  @Test
  void aWorkerThatLeavesGivesItsTasksBackAtOnceAndUncounted() {
    Worker worker = new Worker(channel, "leaver").hello(2);
    enqueue("t");
    worker.task();
    worker.leave();
    await().atMost(Duration.ofSeconds(2)).until(() -> get("t").getReleases() == 1);
    assertThat(get("t").getState()).isEqualTo(TaskState.TASK_STATE_READY);
    assertThat(get("t").getLosses()).isZero();
  }

  @Test
  void aWorkerThatComesBackInTimeKeepsWhatItNames() {
    ManagedChannel own = server.channel();
    Worker worker = new Worker(own, "returner").hello(2);
    enqueue("kept");
    enqueue("forgotten");
    Attempt kept = worker.task();
    Attempt forgotten = worker.task();
    own.shutdownNow();
    Worker again = new Worker(channel, "returner").hello(1, kept);
    assertThat(again.welcome().getWelcome().getHeldList()).containsExactly(kept);
    await().until(() -> get(forgotten.getTaskId()).getState() == TaskState.TASK_STATE_READY);
    again.complete(kept);
    assertThat(again.outcome().hasError()).isFalse();
    assertThat(get(kept.getTaskId()).getAttempts()).isEqualTo(1);
    again.leave();
  }

  @Test
  void theSecondStreamOfAWorkerEndsTheFirst() {
    Worker first = new Worker(channel, "twin").hello(1);
    first.welcome();
    Worker second = new Worker(channel, "twin").hello(1);
    assertThat(first.end().getCode()).isEqualTo(Status.Code.ABORTED);
    enqueue("t");
    second.complete(second.task());
    assertThat(second.outcome().hasError()).isFalse();
    second.leave();
  }

  @Test
  void aRunningTaskIsCancelledThroughItsWorker() {
    Worker worker = new Worker(channel, "w").hello(1);
    enqueue("t");
    Attempt attempt = worker.task();
    TaskQueueServiceGrpc.newBlockingStub(channel)
        .cancelTask(CancelTaskRequest.newBuilder().setQueue(queue).setTaskId("t").build());
    WorkResponse stop = worker.next();
    assertThat(stop.getStop().getReason()).isEqualTo(StopReason.STOP_REASON_CANCELLED);
    assertThat(stop.getStop().getAttempt()).isEqualTo(attempt);
    worker.send(
        WorkRequest.newBuilder()
            .setRelease(AttemptRelease.newBuilder().setAttempt(attempt))
            .build());
    assertThat(worker.outcome().hasError()).isFalse();
    assertThat(get("t").getState()).isEqualTo(TaskState.TASK_STATE_CANCELLED);
    worker.leave();
  }

  @Test
  void aReportThatIsWrongIsRefusedAloneAndTheStreamGoesOn() {
    Worker worker = new Worker(channel, "w").hello(1);
    enqueue("t");
    Attempt attempt = worker.task();
    worker.send(
        WorkRequest.newBuilder()
            .setFail(
                AttemptFail.newBuilder()
                    .setAttempt(attempt)
                    .setFailure(Failure.newBuilder().setKind("")))
            .build());
    assertThat(worker.outcome().getError().getReason())
        .isEqualTo(ErrorReason.ERROR_REASON_INVALID_FIELD);
    worker.complete(attempt.toBuilder().setFencingToken(1).build());
    assertThat(worker.outcome().getError().getReason())
        .isEqualTo(ErrorReason.ERROR_REASON_STALE_LEASE);
    worker.complete(attempt);
    assertThat(worker.outcome().hasError()).isFalse();
    worker.leave();
  }

  @Test
  void aStreamThatDoesNotBeginWithAHelloIsRefused() {
    Worker worker = new Worker(channel, "w");
    worker.send(WorkRequest.newBuilder().setSetSlots(SetSlots.newBuilder().setSlots(1)).build());
    assertThat(worker.end().getCode()).isEqualTo(Status.Code.FAILED_PRECONDITION);
    Worker nameless = new Worker(channel, "").hello(-1);
    assertThat(nameless.end().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
  }

  @Test
  void garbageBytesHarmNobody() throws IOException {
    byte[] garbage = new byte[100_000];
    new Random(1).nextBytes(garbage);
    for (int i = 0; i < 20; i++) {
      try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port)) {
        socket.getOutputStream().write(garbage);
      } catch (IOException e) {
        // The server may hang up on us, which is as good an answer as any.
      }
    }
    enqueue("t");
    assertThat(get("t").getState()).isEqualTo(TaskState.TASK_STATE_READY);
  }

  private void enqueue(String id) {
    TaskQueueServiceGrpc.newBlockingStub(channel)
        .enqueue(
            EnqueueRequest.newBuilder()
                .setQueue(queue)
                .setTask(TaskSpec.newBuilder().setTaskId(id))
                .build());
  }

  private Task get(String id) {
    return TaskQueueServiceGrpc.newBlockingStub(channel)
        .getTask(GetTaskRequest.newBuilder().setQueue(queue).setTaskId(id).build())
        .getTask();
  }

  /** A worker that does what the test says. */
  private final class Worker implements StreamObserver<WorkResponse> {
    private final String id;
    private final LinkedBlockingQueue<WorkResponse> heard = new LinkedBlockingQueue<>();
    private final CompletableFuture<Status> ended = new CompletableFuture<>();
    private final StreamObserver<WorkRequest> up;

    Worker(ManagedChannel channel, String id) {
      this.id = id;
      this.up = TaskQueueServiceGrpc.newStub(channel).work(this);
    }

    Worker hello(int slots, Attempt... held) {
      send(
          WorkRequest.newBuilder()
              .setHello(
                  WorkerHello.newBuilder()
                      .setWorkerId(id)
                      .addQueues(queue)
                      .setSlots(slots)
                      .addAllHeld(List.of(held)))
              .build());
      return this;
    }

    void send(WorkRequest request) {
      up.onNext(request);
    }

    WorkResponse next() {
      try {
        WorkResponse response = heard.poll(60, TimeUnit.SECONDS);
        assertThat(response).isNotNull();
        return response;
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }

    WorkResponse welcome() {
      WorkResponse response = next();
      assertThat(response.hasWelcome()).isTrue();
      return response;
    }

    Attempt task() {
      WorkResponse response = next();
      if (response.hasWelcome()) {
        response = next();
      }
      Attempt attempt = response.getTask().getAttempt();
      assertThat(attempt.getFencingToken()).isPositive();
      send(
          WorkRequest.newBuilder()
              .setDeliveryAck(DeliveryAck.newBuilder().addAttempts(attempt))
              .build());
      return attempt;
    }

    /** A report on nothing is answered after whatever was on its way before. */
    void heartbeatAndHearNothingMore() {
      send(WorkRequest.newBuilder().setHeartbeat(WorkerHeartbeat.getDefaultInstance()).build());
      complete(
          Attempt.newBuilder().setQueue(queue).setTaskId("no such").setFencingToken(1).build());
      assertThat(outcome().getError().getReason())
          .isEqualTo(ErrorReason.ERROR_REASON_TASK_NOT_FOUND);
    }

    void complete(Attempt attempt) {
      send(
          WorkRequest.newBuilder()
              .setComplete(
                  AttemptComplete.newBuilder()
                      .setAttempt(attempt)
                      .setResult(ByteString.copyFromUtf8("done")))
              .build());
    }

    dev.troupe.v1.ReportOutcome outcome() {
      WorkResponse response = next();
      assertThat(response.hasOutcome()).isTrue();
      return response.getOutcome();
    }

    Status end() {
      return ended.orTimeout(20, TimeUnit.SECONDS).join();
    }

    void leave() {
      up.onCompleted();
      assertThat(end().isOk()).isTrue();
    }

    @Override
    public void onNext(WorkResponse response) {
      heard.add(response);
    }

    @Override
    public void onError(Throwable failure) {
      ended.complete(Status.fromThrowable(failure));
    }

    @Override
    public void onCompleted() {
      ended.complete(Status.OK);
    }
  }
}
