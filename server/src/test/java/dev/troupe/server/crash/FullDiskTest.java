package dev.troupe.server.crash;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import dev.troupe.server.Main;
import dev.troupe.server.agent.RedisWire;
import dev.troupe.server.grpc.Refusal;
import dev.troupe.server.redis.NarrowDisk;
import dev.troupe.v1.EnqueueRequest;
import dev.troupe.v1.GetTaskRequest;
import dev.troupe.v1.TaskQueueServiceGrpc;
import dev.troupe.v1.TaskQueueServiceGrpc.TaskQueueServiceBlockingStub;
import dev.troupe.v1.TaskSpec;
import dev.troupe.v1.TaskState;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A Redis that cannot write: once because its files may not grow, with {@code everysec} (what
 * {@code always} does is tested with {@link dev.troupe.server.redis.EmbeddedRedis}), once because
 * it cannot write a snapshot, from which it goes on by itself.
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
      assertSaysThatTheDiskIsFull(
          catchThrowableOfType(StatusRuntimeException.class, () -> enqueue(channel, "meanwhile")));
      assertThat(state(channel, "before")).isEqualTo(TaskState.TASK_STATE_READY);

      wire.command("CONFIG", "SET", "save", "");
      enqueue(channel, "meanwhile");
      assertThat(state(channel, "meanwhile")).isEqualTo(TaskState.TASK_STATE_READY);
      channel.shutdownNow();
    }
  }

  @Test
  void withEverysecWritesAreRefusedAndWhatIsOnTheDiskIsThereAfterwards(
      @TempDir Path tools, @TempDir Path data) throws Exception {
    NarrowDisk disk = new NarrowDisk(tools);
    try (TroupeProcess server =
        new TroupeProcess(
            "--redis.fsync=everysec",
            "--redis.binary=" + disk.binary(),
            "--redis.data-dir=" + data)) {
      ManagedChannel channel = server.channel();
      enqueue(channel, "before");
      await().until(() -> isInAFile(data.resolve("redis"), "before"));
      StatusRuntimeException failure =
          catchThrowableOfType(
              StatusRuntimeException.class,
              () -> {
                for (int i = 0; i < 1000; i++) {
                  enqueueWithPayload(channel, "filling" + i);
                }
              });
      assertSaysThatTheDiskIsFull(failure);
      assertThat(state(channel, "before")).isEqualTo(TaskState.TASK_STATE_READY);

      disk.makeRoom();
      ProcessHandle.of(Long.parseLong(Files.readString(data.resolve("redis.pid")).strip()))
          .orElseThrow()
          .destroyForcibly();
      await().ignoreExceptions().untilAsserted(() -> enqueue(channel, "after"));
      assertThat(state(channel, "before")).isEqualTo(TaskState.TASK_STATE_READY);
      channel.shutdownNow();
    }
  }

  private static boolean isInAFile(Path folder, String text) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        if (Files.readString(file, ISO_8859_1).contains(text)) {
          return true;
        }
      }
    }
    return false;
  }

  @Test
  void aStartWithoutRoomSaysSoAndLeavesTheDataReadable(@TempDir Path data) throws Exception {
    List<String> serve =
        TroupeProcess.command(Main.class, "serve", "--grpc.port=0", "--redis.data-dir=" + data);
    try (TroupeProcess server = new TroupeProcess("--redis.data-dir=" + data)) {
      ManagedChannel channel = server.channel();
      enqueue(channel, "before");
      channel.shutdownNow();
    }
    List<String> withoutRoom =
        new ArrayList<>(List.of("sh", "-c", "trap '' XFSZ; ulimit -f 0; exec \"$@\"", "sh"));
    withoutRoom.addAll(serve);
    Process refused = TroupeProcess.start(withoutRoom);
    try {
      assertThat(refused.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(refused.exitValue()).isNotZero();
      assertThat(new String(refused.getInputStream().readAllBytes(), UTF_8))
          .contains(data.toString())
          .contains("File too large")
          .doesNotContain("at dev.");
    } finally {
      refused.destroyForcibly();
    }

    try (TroupeProcess server = new TroupeProcess("--redis.data-dir=" + data)) {
      ManagedChannel channel = server.channel();
      assertThat(state(channel, "before")).isEqualTo(TaskState.TASK_STATE_READY);
      channel.shutdownNow();
    }
  }

  private static void assertSaysThatTheDiskIsFull(StatusRuntimeException failure) {
    Refusal refusal = Refusal.of(failure);
    assertThat(refusal.code()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(refusal.reason()).isEqualTo("STORE_UNAVAILABLE");
    assertThat(refusal.saysWhenToRetry()).isTrue();
    assertThat(failure).hasMessageContaining("cannot write to its disk; nothing was changed");
  }

  private static TaskQueueServiceBlockingStub tasks(ManagedChannel channel) {
    return TaskQueueServiceGrpc.newBlockingStub(channel).withDeadlineAfter(10, TimeUnit.SECONDS);
  }

  private static void enqueue(ManagedChannel channel, String id) {
    enqueue(channel, TaskSpec.newBuilder().setTaskId(id));
  }

  /** So large that a few fill a narrow disk. */
  private static void enqueueWithPayload(ManagedChannel channel, String id) {
    ByteString payload = ByteString.copyFrom(new byte[2000]);
    enqueue(channel, TaskSpec.newBuilder().setTaskId(id).setPayload(payload));
  }

  private static void enqueue(ManagedChannel channel, TaskSpec.Builder task) {
    tasks(channel).enqueue(EnqueueRequest.newBuilder().setQueue("q").setTask(task).build());
  }

  private static TaskState state(ManagedChannel channel, String id) {
    return tasks(channel)
        .getTask(GetTaskRequest.newBuilder().setQueue("q").setTaskId(id).build())
        .getTask()
        .getState();
  }
}
