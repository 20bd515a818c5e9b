package dev.troupe.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A server in a process of its own, whose processor time and that of its Redis can be read. */
final class ServerUnderTest implements AutoCloseable {

  private final Path data;
  private final JvmUnderTest jvm;

  /** Null when the settings name another one than its own. */
  private final @Nullable ProcessHandle redis;

  final int port;

  /** With its usual settings but for those given, such as {@code --redis.fsync=always}. */
  ServerUnderTest(Path jar, String... settings) throws IOException {
    data = Scratch.directory("troupe-bench");
    List<String> arguments = new ArrayList<>();
    arguments.add("--add-modules=jdk.incubator.vector");
    arguments.addAll(List.of("-jar", jar.toString(), "serve"));
    arguments.addAll(List.of("--grpc.port=0", "--redis.data-dir=" + data));
    arguments.addAll(List.of(settings));
    jvm = new JvmUnderTest(arguments);
    port = jvm.port;
    redis = ownRedis(data);
  }

  private static @Nullable ProcessHandle ownRedis(Path data) throws IOException {
    Path pidFile = data.resolve("redis.pid");
    return Files.exists(pidFile)
        ? ProcessHandle.of(Long.parseLong(Files.readString(pidFile).strip())).orElseThrow()
        : null;
  }

  Duration serverCpu() {
    return jvm.cpu();
  }

  /** Bytes of heap in use after a collection of garbage. */
  double heapAfterCollection() throws IOException, InterruptedException {
    return jvm.heapAfterCollection();
  }

  /** Of its own Redis. */
  Duration redisCpu() {
    return redis == null ? Duration.ZERO : redis.info().totalCpuDuration().orElse(Duration.ZERO);
  }

  @Override
  public void close() throws IOException, InterruptedException {
    jvm.close();
    Scratch.delete(data);
  }
}
