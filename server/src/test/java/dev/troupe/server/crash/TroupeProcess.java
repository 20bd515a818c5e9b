package dev.troupe.server.crash;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.troupe.server.Main;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;

/** A server in a process of its own, with an embedded Redis, which can be killed and started. */
public final class TroupeProcess implements AutoCloseable {

  private final List<String> log = new CopyOnWriteArrayList<>();
  private final Path data;
  private final List<String> settings;
  public final int port;
  private Process process;

  /** Starts one on a free port, with further settings as flags. */
  public TroupeProcess(String... settings) throws Exception {
    this.settings = List.of(settings);
    data = Files.createTempDirectory("troupe-crash");
    // Who takes a free port for it beforehand may find that somebody else has it by then.
    Launched launched = launch(0);
    process = launched.process();
    port = launched.port();
  }

  private record Launched(Process process, int port) {}

  private Launched launch(int wantedPort) throws IOException {
    List<String> arguments = new ArrayList<>(settings);
    arguments.addAll(
        0,
        List.of(
            "serve",
            "--grpc.port=" + wantedPort,
            "--redis.data-dir=" + data,
            "--redis.fsync=always",
            // On a busy machine all calls take long; tests of shedding say what they want.
            "--grpc.target-latency=5s"));
    Process started = java(Main.class, arguments.toArray(String[]::new));
    BufferedReader output =
        new BufferedReader(new InputStreamReader(started.getInputStream(), UTF_8));
    List<String> said = new ArrayList<>();
    for (String line = output.readLine(); line != null; line = output.readLine()) {
      said.add(line);
      log.add(line);
      if (line.startsWith("listening on")) {
        // Whatever it says from now on has to be read, or it would wait for us.
        Thread reader = new Thread(() -> drain(output), "server output");
        reader.setDaemon(true);
        reader.start();
        String listening = line.substring(line.lastIndexOf(':') + 1).strip();
        return new Launched(started, Integer.parseInt(listening));
      }
    }
    throw new IllegalStateException("the server did not start: " + said);
  }

  private void drain(BufferedReader output) {
    try {
      output.lines().forEach(log::add);
    } catch (UncheckedIOException e) {
      // It was killed, and its output closed with it.
    }
  }

  /** A JVM with this test's class path; what it says on both streams is read by the caller. */
  public static Process java(Class<?> main, String... arguments) throws IOException {
    return start(command(main, arguments));
  }

  static List<String> command(Class<?> main, String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx256m"));
    String path =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    command.addAll(List.of("-cp", path, main.getName()));
    command.addAll(List.of(arguments));
    return command;
  }

  static Process start(List<String> command) throws IOException {
    return new ProcessBuilder(command)
        .directory(new File(System.getProperty("java.io.tmpdir")))
        .redirectErrorStream(true)
        .start();
  }

  /** What it has said so far, before it was killed too. */
  public List<String> log() {
    return List.copyOf(log);
  }

  /** What its threads do now, as the JDK's jstack tells it. */
  String threads() throws IOException {
    Path jstack = Path.of(System.getProperty("java.home"), "bin", "jstack");
    Process asked =
        new ProcessBuilder(jstack.toString(), "-l", Long.toString(process.pid()))
            .redirectErrorStream(true)
            .start();
    return new String(asked.getInputStream().readAllBytes(), UTF_8);
  }

  public ManagedChannel channel() {
    return NettyChannelBuilder.forAddress("127.0.0.1", port).usePlaintext().build();
  }

  /** SIGKILL, and a new start on the same port and data. */
  public void killAndRestart() throws Exception {
    kill();
    startAgain();
  }

  /** SIGKILL. */
  public void kill() throws InterruptedException {
    process.destroyForcibly().waitFor();
  }

  /** A new start, after a kill, on the same port and data. */
  public void startAgain() throws IOException {
    process = launch(port).process();
  }

  /** SIGKILL to the embedded Redis; the server starts it again. */
  public void killRedis() throws IOException {
    ProcessHandle.of(redisPid()).orElseThrow().destroyForcibly();
  }

  /** Holds the embedded Redis, as a stalled disk would, or lets it go on. */
  public void holdRedis(boolean hold) throws Exception {
    signal(redisPid(), hold);
  }

  /** Holds the server, as a long pause would, or lets it go on. */
  public void hold(boolean hold) throws Exception {
    signal(process, hold);
  }

  static void signal(Process process, boolean hold) throws Exception {
    signal(process.pid(), hold);
  }

  private static void signal(long pid, boolean hold) throws Exception {
    new ProcessBuilder("kill", hold ? "-STOP" : "-CONT", Long.toString(pid)).start().waitFor();
  }

  private long redisPid() throws IOException {
    return Long.parseLong(Files.readString(data.resolve("redis.pid")).strip());
  }

  @Override
  public void close() throws Exception {
    process.destroy();
    process.waitFor();
    try (Stream<Path> files = Files.walk(data)) {
      files.sorted(Comparator.reverseOrder()).map(Path::toFile).forEach(File::delete);
    }
  }
}
