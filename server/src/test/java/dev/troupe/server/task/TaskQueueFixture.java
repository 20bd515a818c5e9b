package dev.troupe.server.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import com.google.protobuf.Duration;
import com.google.protobuf.util.Durations;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import dev.troupe.server.crash.TroupeOnRedis;
import dev.troupe.server.crash.TroupeProcess;
import dev.troupe.v1.CancelTaskRequest;
import dev.troupe.v1.CompleteRequest;
import dev.troupe.v1.ConfigureQueueRequest;
import dev.troupe.v1.EnqueueRequest;
import dev.troupe.v1.EnqueueResponse;
import dev.troupe.v1.ExtendRequest;
import dev.troupe.v1.FailRequest;
import dev.troupe.v1.FailResponse;
import dev.troupe.v1.Failure;
import dev.troupe.v1.GetQueueRequest;
import dev.troupe.v1.GetTaskRequest;
import dev.troupe.v1.LeaseRequest;
import dev.troupe.v1.LeasedTask;
import dev.troupe.v1.ListTasksRequest;
import dev.troupe.v1.ListTasksResponse;
import dev.troupe.v1.QueueSettings;
import dev.troupe.v1.QueueStats;
import dev.troupe.v1.ReleaseRequest;
import dev.troupe.v1.Task;
import dev.troupe.v1.TaskQueueServiceGrpc;
import dev.troupe.v1.TaskQueueServiceGrpc.TaskQueueServiceBlockingStub;
import dev.troupe.v1.TaskSpec;
import dev.troupe.v1.TaskState;
import dev.troupe.v1.WaitTaskRequest;
import dev.troupe.v1.WaitTaskResponse;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestInstance;

/** A server for tests of the unary calls; after each test its queue's counters add up. */
@SuppressWarnings("NullAway.Init")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class TaskQueueFixture {

  private final TroupeOnRedis fixture;
  private TroupeProcess server;
  ManagedChannel channel;

  TaskQueueServiceBlockingStub tasks;

  /** A queue of this test's own. */
  String queue;

  TaskQueueFixture(TroupeOnRedis fixture) {
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

  EnqueueResponse enqueue(String id) {
    return enqueue(TaskSpec.newBuilder().setTaskId(id));
  }

  EnqueueResponse enqueue(TaskSpec.Builder task) {
    return tasks.enqueue(EnqueueRequest.newBuilder().setQueue(queue).setTask(task).build());
  }

  List<LeasedTask> lease(int most) {
    return lease("w", most, Durations.ZERO, List.of());
  }

  List<LeasedTask> leaseWaiting(Duration wait) {
    return lease("w", 1, wait, List.of());
  }

  List<LeasedTask> lease(String worker, int most, Duration wait, List<String> capabilities) {
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

  void complete(LeasedTask task, String result) {
    tasks.complete(
        CompleteRequest.newBuilder()
            .setAttempt(task.getAttempt())
            .setResult(bytes(result))
            .build());
  }

  FailResponse fail(LeasedTask task, Failure.Builder failure) {
    return tasks.fail(
        FailRequest.newBuilder().setAttempt(task.getAttempt()).setFailure(failure).build());
  }

  void release(LeasedTask task, Duration delay) {
    tasks.release(
        ReleaseRequest.newBuilder().setAttempt(task.getAttempt()).setDelay(delay).build());
  }

  void extend(LeasedTask task) {
    tasks.extend(ExtendRequest.newBuilder().setAttempt(task.getAttempt()).build());
  }

  TaskState cancel(String id) {
    return tasks
        .cancelTask(CancelTaskRequest.newBuilder().setQueue(queue).setTaskId(id).build())
        .getState();
  }

  Task get(String id) {
    return tasks
        .getTask(GetTaskRequest.newBuilder().setQueue(queue).setTaskId(id).build())
        .getTask();
  }

  WaitTaskResponse waitFor(String id, Duration timeout) {
    return tasks.waitTask(
        WaitTaskRequest.newBuilder().setQueue(queue).setTaskId(id).setTimeout(timeout).build());
  }

  void configure(QueueSettings.Builder settings) {
    tasks.configureQueue(
        ConfigureQueueRequest.newBuilder().setQueue(queue).setSettings(settings).build());
  }

  QueueStats stats() {
    return tasks
        .getQueue(GetQueueRequest.newBuilder().setQueue(queue).build())
        .getQueue()
        .getStats();
  }

  List<String> list(TaskState state) {
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

  static List<String> ids(List<LeasedTask> tasks) {
    return tasks.stream().map(task -> task.getAttempt().getTaskId()).toList();
  }

  static ByteString bytes(String text) {
    return ByteString.copyFromUtf8(text);
  }

  static String refusal(ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOf(StatusRuntimeException.class);
    return reason(catchThrowableOfType(StatusRuntimeException.class, call));
  }

  static String reason(StatusRuntimeException refused) {
    return details(refused, ErrorInfo.class).get(0).getReason();
  }

  static List<String> violations(StatusRuntimeException refused) {
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
