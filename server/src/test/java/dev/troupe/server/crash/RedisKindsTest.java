package dev.troupe.server.crash;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.troupe.v1.EnqueueRequest;
import dev.troupe.v1.GetQueueRequest;
import dev.troupe.v1.GetTaskRequest;
import dev.troupe.v1.LeaseRequest;
import dev.troupe.v1.TaskQueueServiceGrpc;
import dev.troupe.v1.TaskQueueServiceGrpc.TaskQueueServiceBlockingStub;
import dev.troupe.v1.TaskSpec;
import dev.troupe.v1.TaskState;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A server before a Redis that is not its own: over TLS, and behind Sentinels. */
final class RedisKindsTest {

  private static final String PASSWORD = "for the test";

  @TempDir
  @SuppressWarnings("NullAway.Init")
  Path folder;

  @Test
  void aRedisOverTlsIsBelievedOnlyByItsAuthority() throws Exception {
    Path[] own = certificate("own");
    Path[] foreign = certificate("foreign");
    try (RedisProcess redis = RedisProcess.overTls(own[0], own[1])) {
      String url = "--redis.url=rediss://127.0.0.1:" + redis.port;
      try (TroupeProcess server = new TroupeProcess(url, "--redis.tls-ca=" + own[0])) {
        ManagedChannel channel = server.channel();
        enqueue(stub(channel), "t");
        assertThat(state(stub(channel), "t")).isEqualTo(TaskState.TASK_STATE_READY);
        channel.shutdownNow();
      }
      assertThatThrownBy(() -> new TroupeProcess(url, "--redis.tls-ca=" + foreign[0]).close())
          .hasMessageContaining("cannot connect to Redis");
      assertThatThrownBy(
              () -> new TroupeProcess(url, "--redis.tls-ca=" + folder.resolve("none")).close())
          .hasMessageContaining("redis.tls-ca")
          .hasMessageContaining("expected: certificates in PEM");
    }
  }

  @Test
  void aFailoverBySentinelsCostsNothingThatWasReplicated() throws Exception {
    try (RedisProcess master = RedisProcess.redis();
        RedisProcess replica = RedisProcess.redis("--replicaof", "127.0.0.1", "" + master.port)) {
      await().until(() -> replica.ask("INFO replication").contains("master_link_status:up"));
      List<RedisProcess> sentinels = new ArrayList<>();
      try {
        for (int i = 0; i < 3; i++) {
          sentinels.add(RedisProcess.sentinel(master));
        }
        await()
            .until(
                () ->
                    sentinels.stream()
                        .map(sentinel -> sentinel.ask("SENTINEL MASTER troupe"))
                        .allMatch(
                            view ->
                                number(view, "num-slaves") == 1
                                    && number(view, "num-other-sentinels") == 2));
        failOver(master, replica, sentinels);
      } finally {
        for (RedisProcess sentinel : sentinels) {
          sentinel.close();
        }
      }
    }
  }

  private void failOver(RedisProcess master, RedisProcess replica, List<RedisProcess> sentinels)
      throws Exception {
    String url =
        "redis-sentinel://"
            + String.join(
                ",", sentinels.stream().map(sentinel -> "127.0.0.1:" + sentinel.port).toList())
            + "/troupe";
    try (TroupeProcess server = new TroupeProcess("--redis.url=" + url)) {
      ManagedChannel channel = server.channel();
      TaskQueueServiceBlockingStub tasks = stub(channel);
      for (int i = 0; i < 200; i++) {
        enqueue(tasks, "before-" + i);
      }
      long token =
          tasks
              .lease(LeaseRequest.newBuilder().setQueue("q").setWorkerId("w").build())
              .getTasks(0)
              .getAttempt()
              .getFencingToken();
      assertThat(master.ask("WAIT 1 5000")).startsWith(":1");

      master.kill();
      List<StatusRuntimeException> refusals = new ArrayList<>();
      await()
          .until(
              () -> {
                try {
                  enqueue(tasks, "after");
                  return true;
                } catch (StatusRuntimeException e) {
                  refusals.add(e);
                  return false;
                }
              });
      assertThat(refusals)
          .isNotEmpty()
          .allMatch(
              refusal ->
                  refusal.getStatus().getCode() == Status.Code.UNAVAILABLE
                      || refusal.getStatus().getCode() == Status.Code.DEADLINE_EXCEEDED);
      assertThat(replica.ask("ROLE")).contains("master");
      var stats =
          tasks.getQueue(GetQueueRequest.newBuilder().setQueue("q").build()).getQueue().getStats();
      assertThat(stats.getEnqueued()).isEqualTo(201);
      assertThat(stats.getReady() + stats.getLeased()).isEqualTo(201);
      var next = tasks.lease(LeaseRequest.newBuilder().setQueue("q").setWorkerId("w").build());
      assertThat(next.getTasks(0).getAttempt().getFencingToken()).isGreaterThan(token);
      channel.shutdownNow();
    }
  }

  /** A value of the flat list that a Sentinel answers with; -1 when it is not there. */
  private static int number(String view, String name) {
    List<String> lines = view.lines().toList();
    int at = lines.indexOf(name);
    return at < 0 ? -1 : Integer.parseInt(lines.get(at + 2));
  }

  /** A certificate that vouches for itself, and its key, both in PEM. */
  private Path[] certificate(String name) throws Exception {
    Path store = folder.resolve(name + ".p12");
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                name,
                "-keyalg",
                "EC",
                "-validity",
                "2",
                "-dname",
                "CN=" + name,
                "-ext",
                "san=ip:127.0.0.1",
                "-ext",
                "bc:c",
                "-storetype",
                "PKCS12",
                "-keystore",
                store.toString(),
                "-storepass",
                PASSWORD,
                "-keypass",
                PASSWORD)
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve(name + ".log").toFile())
            .start();
    assertThat(keytool.waitFor(60, TimeUnit.SECONDS)).isTrue();
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(store)) {
      keys.load(in, PASSWORD.toCharArray());
    }
    Path certificate = folder.resolve(name + ".crt");
    Path key = folder.resolve(name + ".key");
    Files.writeString(certificate, pem("CERTIFICATE", keys.getCertificate(name).getEncoded()));
    Files.writeString(
        key, pem("PRIVATE KEY", keys.getKey(name, PASSWORD.toCharArray()).getEncoded()));
    return new Path[] {certificate, key};
  }

  private static String pem(String kind, byte[] content) {
    return "-----BEGIN "
        + kind
        + "-----\n"
        + Base64.getMimeEncoder(64, "\n".getBytes(UTF_8)).encodeToString(content)
        + "\n-----END "
        + kind
        + "-----\n";
  }

  private static TaskQueueServiceBlockingStub stub(ManagedChannel channel) {
    return TaskQueueServiceGrpc.newBlockingStub(channel);
  }

  private static void enqueue(TaskQueueServiceBlockingStub tasks, String id) {
    tasks
        .withDeadlineAfter(10, TimeUnit.SECONDS)
        .enqueue(
            EnqueueRequest.newBuilder()
                .setQueue("q")
                .setTask(TaskSpec.newBuilder().setTaskId(id))
                .build());
  }

  private static TaskState state(TaskQueueServiceBlockingStub tasks, String id) {
    return tasks
        .getTask(GetTaskRequest.newBuilder().setQueue("q").setTaskId(id).build())
        .getTask()
        .getState();
  }
}
