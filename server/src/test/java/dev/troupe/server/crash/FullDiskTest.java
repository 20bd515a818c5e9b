package dev.troupe.server.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import dev.troupe.server.agent.RedisWire;
import dev.troupe.server.grpc.Refusal;
import dev.troupe.v1.EnqueueRequest;
import dev.troupe.v1.GetTaskRequest;
import dev.troupe.v1.TaskQueueServiceGrpc;
import dev.troupe.v1.TaskQueueServiceGrpc.TaskQueueServiceBlockingStub;
import dev.troupe.v1.TaskSpec;
import dev.troupe.v1.TaskState;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.nio.file.Files;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/**
 * A Redis that cannot write to its disk and so takes no writes. It says MISCONF for an append-only
 * file that it cannot write and for a snapshot alike; the test makes a snapshot fail, which needs
 * no full disk.
 */
final class FullDiskTest {

  @Test
  void writesAreRefusedWithTheReasonAndGoOnWhenRedisTakesThemAgain() throws Exception {
    try (RedisProcess redis = RedisProcess.redis();
        RedisWire wire = new RedisWire(redis.port);
        TroupeProcess server = new TroupeProcess("--redis.url=redis://127.0.0.1:" + redis.port)) {
      ManagedChannel channel = server.channel();
      enqueue(channel, "before");
      Files.createDirectories(redis.file("in-the-way").resolve("not-empty"));
      wire.command("CONFIG", "SET", "dbfilename", "in-the-way");
      wire.command("CONFIG", "SET", "save", "3600 1");
      wire.command("BGSAVE");
      await()
          .until(
              () ->
                  ((String) wire.command("INFO", "persistence"))
                      .contains("rdb_last_bgsave_status:err"));
      StatusRuntimeException failure =
          catchThrowableOfType(StatusRuntimeException.class, () -> enqueue(channel, "meanwhile"));
      Refusal refusal = Refusal.of(failure);
      assertThat(refusal.code()).isEqualTo(Status.Code.UNAVAILABLE);
      assertThat(refusal.reason()).isEqualTo("STORE_UNAVAILABLE");
      assertThat(refusal.saysWhenToRetry()).isTrue();
      assertThat(failure).hasMessageContaining("cannot write to its disk; nothing was changed");
      assertThat(state(channel, "before")).isEqualTo(TaskState.TASK_STATE_READY);

      wire.command("CONFIG", "SET", "save", "");
      enqueue(channel, "meanwhile");
      assertThat(state(channel, "meanwhile")).isEqualTo(TaskState.TASK_STATE_READY);
      channel.shutdownNow();
    }
  }

  private static TaskQueueServiceBlockingStub tasks(ManagedChannel channel) {
    return TaskQueueServiceGrpc.newBlockingStub(channel).withDeadlineAfter(10, TimeUnit.SECONDS);
  }

  private static void enqueue(ManagedChannel channel, String id) {
    tasks(channel)
        .enqueue(
            EnqueueRequest.newBuilder()
                .setQueue("q")
                .setTask(TaskSpec.newBuilder().setTaskId(id))
                .build());
  }

  private static TaskState state(ManagedChannel channel, String id) {
    return tasks(channel)
        .getTask(GetTaskRequest.newBuilder().setQueue("q").setTaskId(id).build())
        .getTask()
        .getState();
  }
}
