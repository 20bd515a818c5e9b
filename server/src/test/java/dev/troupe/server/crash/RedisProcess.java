package dev.troupe.server.crash;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;

/** A Redis of the test's own on a free loopback port, or a Sentinel, in a folder of its own. */
final class RedisProcess implements AutoCloseable {

  final int port;
  private final Path folder;
  private final List<String> command = new ArrayList<>();
  private Process process;

  private RedisProcess(int port, Path folder, List<String> options) throws IOException {
    this.port = port;
    this.folder = folder;
    command.add(binary(folder).toString());
    command.addAll(options);
    process = launch();
  }

  private Process launch() throws IOException {
    return new ProcessBuilder(command)
        .directory(folder.toFile())
        .redirectErrorStream(true)
        .redirectOutput(folder.resolve("log").toFile())
        .start();
  }

  /** With further options, such as {@code --replicaof}. */
  static RedisProcess redis(String... options) throws IOException {
    int port = freePort();
    List<String> all =
        new ArrayList<>(List.of("--port", "" + port, "--bind", "127.0.0.1", "--save", ""));
    all.addAll(List.of(options));
    RedisProcess started = new RedisProcess(port, Files.createTempDirectory("troupe-redis"), all);
    started.awaitPong();
    return started;
  }

  /** Reached by TLS only, with a certificate of this folder. */
  static RedisProcess overTls(Path certificate, Path key) throws IOException {
    int port = freePort();
    return new RedisProcess(
        port,
        Files.createTempDirectory("troupe-redis"),
        List.of(
            "--port",
            "0",
            "--tls-port",
            "" + port,
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--tls-cert-file",
            certificate.toString(),
            "--tls-key-file",
            key.toString(),
            "--tls-ca-cert-file",
            certificate.toString(),
            "--tls-auth-clients",
            "no"));
  }

  /** Watches a master under the name "troupe"; two Sentinels have to agree that it is gone. */
  static RedisProcess sentinel(RedisProcess master) throws IOException {
    int port = freePort();
    Path folder = Files.createTempDirectory("troupe-sentinel");
    Path config = folder.resolve("sentinel.conf");
    Files.write(
        config,
        List.of(
            "port " + port,
            "bind 127.0.0.1",
            "sentinel monitor troupe 127.0.0.1 " + master.port + " 2",
            "sentinel down-after-milliseconds troupe 500",
            "sentinel failover-timeout troupe 3000"));
    RedisProcess started = new RedisProcess(port, folder, List.of(config.toString(), "--sentinel"));
    started.awaitPong();
    return started;
  }

  private static Path binary(Path folder) throws IOException {
    Path binary = folder.resolve("redis-server");
    try (InputStream in =
        ClassLoader.getSystemResourceAsStream("redis-server-6.2.6-v5-linux-amd64")) {
      Files.copy(in, binary);
    }
    binary.toFile().setExecutable(true);
    return binary;
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private void awaitPong() {
    Awaitility.await()
        .pollInterval(Duration.ofMillis(20))
        .until(() -> ask("PING").startsWith("+PONG"));
  }

  /** What it answers to an inline command; empty when it does not. */
  String ask(String command) {
    return ask(port, command);
  }

  /** The same for whatever Redis listens on a loopback port. */
  static String ask(int port, String command) {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.getOutputStream().write((command + "\r\nQUIT\r\n").getBytes(UTF_8));
      return new BufferedReader(new InputStreamReader(socket.getInputStream(), UTF_8))
          .lines()
          .collect(Collectors.joining("\n"));
    } catch (IOException | UncheckedIOException e) {
      return "";
    }
  }

  /** SIGKILL. */
  void kill() throws InterruptedException {
    process.destroyForcibly().waitFor();
  }

  /** SIGKILL, and a new start on the same port and data. */
  void killAndRestart() throws Exception {
    kill();
    startAgain();
  }

  /** A new start, after a kill, on the same port and data. */
  void startAgain() throws IOException {
    process = launch();
    awaitPong();
  }

  /** A file of its data. */
  Path file(String name) {
    return folder.resolve(name);
  }

  /** Holds it, as a stalled disk would, or lets it go on. */
  void hold(boolean hold) throws Exception {
    TroupeProcess.signal(process, hold);
  }

  @Override
  public void close() throws Exception {
    hold(false);
    kill();
    try (Stream<Path> files = Files.walk(folder)) {
      files.sorted(Comparator.reverseOrder()).map(Path::toFile).forEach(File::delete);
    }
  }
}
