package dev.troupe.server.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.common.util.concurrent.ListenableFuture;
import com.google.protobuf.util.Durations;
import dev.troupe.server.crash.TroupeProcess;
import dev.troupe.v1.EnqueueRequest;
import dev.troupe.v1.GetTaskRequest;
import dev.troupe.v1.LeaseRequest;
import dev.troupe.v1.TaskQueueServiceGrpc;
import dev.troupe.v1.TaskSpec;
import dev.troupe.v1.TaskState;
import dev.troupe.v1.WaitTaskRequest;
import io.grpc.ManagedChannel;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A server that takes only four calls at a time. */
@SuppressWarnings("NullAway.Init")
final class LoadLimitTest {

  private static final int MOST = 4;

  private TroupeProcess server;
  private ManagedChannel channel;

  @BeforeEach
  void start() throws Exception {
    server = new TroupeProcess("--grpc.max-in-flight=" + MOST, "--redis.timeout=20s");
    channel = server.channel();
  }

  @AfterEach
  void stop() throws Exception {
    channel.shutdownNow();
    server.close();
  }

  @Test
  void callsThatWaitLeaveRoomForOthers() {
    enqueue("waited-for");
    TaskQueueServiceGrpc.TaskQueueServiceFutureStub stub =
        TaskQueueServiceGrpc.newFutureStub(channel);
    List<ListenableFuture<?>> waiting = new ArrayList<>();
    for (int i = 0; i < 10 * MOST; i++) {
      waiting.add(
          stub.waitTask(
              WaitTaskRequest.newBuilder().setQueue("q").setTaskId("waited-for").build()));
      waiting.add(
          stub.lease(
              LeaseRequest.newBuilder()
                  .setQueue("empty")
                  .setWorkerId("w" + i)
                  .setWait(Durations.fromSeconds(30))
                  .build()));
      // On the same connection, so the two have begun by the time this is answered.
      enqueue("another");
    }
    assertThat(waiting).noneMatch(ListenableFuture::isDone);
    waiting.forEach(call -> call.cancel(true));
  }

  @Test
  void whatIsTooMuchIsRefusedAtOnceWithWhenToTryAgain() throws Exception {
    enqueue("first");
    server.holdRedis(true);
    List<ListenableFuture<?>> held = new ArrayList<>();
    for (int i = 0; i < 5 * MOST; i++) {
      held.add(TaskQueueServiceGrpc.newFutureStub(channel).enqueue(request("t" + i)));
    }
    await()
        .until(() -> held.stream().filter(ListenableFuture::isDone).count() == held.size() - MOST);
    List<Refusal> refusals = new ArrayList<>();
    for (ListenableFuture<?> call : held) {
      if (call.isDone()) {
        refusals.add(Refusal.of(call));
      }
    }
    assertThat(refusals)
        .hasSize(4 * MOST)
        .allMatch(refusal -> refusal.what().equals("UNAVAILABLE OVERLOADED"))
        .allMatch(Refusal::saysWhenToRetry);
    server.holdRedis(false);
    await().until(() -> held.stream().allMatch(ListenableFuture::isDone));
    enqueue("last");
    assertThat(
            TaskQueueServiceGrpc.newBlockingStub(channel)
                .getTask(GetTaskRequest.newBuilder().setQueue("q").setTaskId("last").build())
                .getTask()
                .getState())
        .isEqualTo(TaskState.TASK_STATE_READY);
  }

  private void enqueue(String id) {
    TaskQueueServiceGrpc.newBlockingStub(channel).enqueue(request(id));
  }

  private static EnqueueRequest request(String id) {
    return EnqueueRequest.newBuilder()
        .setQueue("q")
        .setTask(TaskSpec.newBuilder().setTaskId(id))
        .build();
  }
}
