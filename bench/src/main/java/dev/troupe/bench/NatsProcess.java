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

/** A NATS server with JetStream on a directory of its own and its default settings otherwise. */
final class NatsProcess implements AutoCloseable {

  private static final Duration START = Duration.ofSeconds(60);

  private final Path directory;
  private final Process process;
  private final Thread whenWeEnd;
  final int port;

  private NatsProcess(Path binary, Path directory) throws IOException {
    this.directory = directory;
    this.port = Scratch.freePort();
    process =
        new ProcessBuilder(
                binary.toString(),
                "--addr=127.0.0.1",
                "--port=" + port,
                "--jetstream",
                "--store_dir=" + directory.resolve("data"))
            .redirectErrorStream(true)
            .redirectOutput(log().toFile())
            .start();
    whenWeEnd = new Thread(process::destroy, "end of nats-server");
    Runtime.getRuntime().addShutdownHook(whenWeEnd);
  }

  /**
   * Starts one and returns when it takes connections.
   *
   * @throws UnavailableException when there is none here, or it does not start
   */
  static NatsProcess start() throws IOException, InterruptedException, UnavailableException {
    NatsProcess nats = new NatsProcess(find(), Scratch.directory("troupe-bench-nats"));
    try {
      nats.awaitConnection();
      return nats;
    } catch (UnavailableException e) {
      nats.close();
      throw e;
    }
  }

  private static Path find() throws UnavailableException {
    String configured = Optional.ofNullable(System.getenv("BENCH_NATS")).orElse("");
    if (!configured.isEmpty()) {
      if (!Files.isExecutable(Path.of(configured))) {
        throw new UnavailableException(
            "BENCH_NATS: " + configured + " (expected: the path of a nats-server executable)");
      }
      return Path.of(configured);
    }
    String path = Optional.ofNullable(System.getenv("PATH")).orElse("");
    return Splitter.on(File.pathSeparatorChar)
        .splitToStream(path)
        .map(folder -> Path.of(folder, "nats-server"))
        .filter(file -> Files.isExecutable(file) && !Files.isDirectory(file))
        .findFirst()
        .orElseThrow(
            () ->
                new UnavailableException(
                    "nats-server is missing (Debian: apt install nats-server, macOS: brew install"
                        + " nats-server, or set BENCH_NATS to the path of its executable)"));
  }

  private Path log() {
    return directory.resolve("nats.log");
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
        "nats-server did not start. It said:\n"
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
