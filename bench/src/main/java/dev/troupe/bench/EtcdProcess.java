package dev.troupe.bench;

import com.google.common.base.Splitter;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * An etcd of one member with its default settings, so one that writes through to the disk before it
 * answers. It listens on loopback only.
 */
final class EtcdProcess implements AutoCloseable {

  private static final Duration START = Duration.ofSeconds(60);

  private final Path directory;
  private final Process process;
  private final Thread whenWeEnd;
  final int port;

  private EtcdProcess(Path binary, Path directory) throws IOException {
    this.directory = directory;
    this.port = Scratch.freePort();
    String clients = "http://127.0.0.1:" + port;
    String peers = "http://127.0.0.1:" + Scratch.freePort();
    ProcessBuilder builder =
        new ProcessBuilder(
            binary.toString(),
            "--data-dir=" + directory.resolve("data"),
            "--listen-client-urls=" + clients,
            "--advertise-client-urls=" + clients,
            "--listen-peer-urls=" + peers,
            "--initial-advertise-peer-urls=" + peers,
            "--initial-cluster=default=" + peers);
    // Any of its settings can come from the environment, and the defaults are wanted.
    builder.environment().keySet().removeIf(name -> name.startsWith("ETCD_"));
    // Version 3.4 runs on this processor only when told that it is meant.
    builder.environment().put("ETCD_UNSUPPORTED_ARCH", "arm64");
    process = builder.redirectErrorStream(true).redirectOutput(log().toFile()).start();
    whenWeEnd = new Thread(process::destroy, "end of etcd");
    Runtime.getRuntime().addShutdownHook(whenWeEnd);
  }

  /**
   * Starts one and returns when it takes connections; calls wait until it has a leader.
   *
   * @throws UnavailableException when there is none here, or it does not start
   */
  static EtcdProcess start() throws IOException, InterruptedException, UnavailableException {
    EtcdProcess etcd = new EtcdProcess(find(), Scratch.directory("troupe-bench-etcd"));
    try {
      etcd.awaitConnection();
      return etcd;
    } catch (UnavailableException e) {
      etcd.close();
      throw e;
    }
  }

  private static Path find() throws UnavailableException {
    String configured = Optional.ofNullable(System.getenv("BENCH_ETCD")).orElse("");
    if (!configured.isEmpty()) {
      if (!Files.isExecutable(Path.of(configured))) {
        throw new UnavailableException(
            "BENCH_ETCD: " + configured + " (expected: the path of an etcd executable)");
      }
      return Path.of(configured);
    }
    String path = Optional.ofNullable(System.getenv("PATH")).orElse("");
    return Splitter.on(File.pathSeparatorChar)
        .splitToStream(path)
        .map(folder -> Path.of(folder, "etcd"))
        .filter(file -> Files.isExecutable(file) && !Files.isDirectory(file))
        .findFirst()
        .orElseThrow(
            () ->
                new UnavailableException(
                    "etcd is missing (Debian: apt install etcd-server, macOS: brew install etcd, or"
                        + " set BENCH_ETCD to the path of its executable)"));
  }

  private Path log() {
    return directory.resolve("etcd.log");
  }

  private void awaitConnection() throws IOException, UnavailableException {
    long deadline = System.nanoTime() + START.toNanos();
    while (process.isAlive() && System.nanoTime() - deadline < 0) {
      try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
        return;
      } catch (IOException e) {
        LockSupport.parkNanos(10_000_000);
      }
    }
    List<String> lines = Files.readAllLines(log());
    throw new UnavailableException(
        "etcd did not start. It said:\n"
            + String.join("\n", lines.subList(Math.max(0, lines.size() - 10), lines.size())));
  }

  Duration cpu() {
    return process.info().totalCpuDuration().orElse(Duration.ZERO);
  }

  @Override
  public void close() throws IOException, InterruptedException {
    process.destroy();
    if (!process.waitFor(20, TimeUnit.SECONDS)) {
      process.destroyForcibly().waitFor();
    }
    Runtime.getRuntime().removeShutdownHook(whenWeEnd);
    Scratch.delete(directory);
  }
}
