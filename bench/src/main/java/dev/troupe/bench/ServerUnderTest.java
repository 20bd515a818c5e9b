package dev.troupe.bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A server in a process of its own, whose processor time and that of its Redis can be read. */
final class ServerUnderTest implements AutoCloseable {

  /** As the launcher starts it: with large pages where the system has them. */
  static final List<String> AS_LAUNCHED =
      List.of(
          "-XX:+UseParallelGC", "-XX:+IgnoreUnrecognizedVMOptions", "-XX:+UseTransparentHugePages");

  /** Of the parts of the parallel collector's heap. */
  private static final Pattern HEAP_USED =
      Pattern.compile("(?:PSYoungGen|ParOldGen) +total \\d+K, used (\\d+)K");

  private final Path data;
  private final Process process;

  /** Null when the settings name another one than its own. */
  private final @Nullable ProcessHandle redis;

  final int port;

  /** With its usual settings but for those given, such as {@code --redis.fsync=always}. */
  ServerUnderTest(Path jar, String... settings) throws IOException {
    data = Files.createTempDirectory("troupe-bench");
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    // As the launcher starts it.
    command.addAll(AS_LAUNCHED);
    command.addAll(List.of("-Xmx512m", "--add-modules=jdk.incubator.vector"));
    command.addAll(List.of("-jar", jar.toString(), "serve"));
    command.addAll(List.of("--grpc.port=0", "--redis.data-dir=" + data));
    command.addAll(List.of(settings));
    process = new ProcessBuilder(command).redirectErrorStream(true).start();
    BufferedReader output =
        new BufferedReader(new InputStreamReader(process.getInputStream(), UTF_8));
    List<String> said = new ArrayList<>();
    String line = output.readLine();
    while (line != null && !line.startsWith("listening on ")) {
      said.add(line);
      line = output.readLine();
    }
    if (line == null) {
      throw new IOException("the server did not start: " + said);
    }
    port = Integer.parseInt(line.substring(line.lastIndexOf(':') + 1).strip());
    Thread reader = new Thread(() -> drain(output), "server output");
    reader.setDaemon(true);
    reader.start();
    redis = ownRedis(data);
  }

  /** So that it never waits for somebody to read what it says. */
  private static void drain(BufferedReader output) {
    try {
      output.lines().forEach(ignored -> {});
    } catch (UncheckedIOException e) {
      // It was ended, and its output closed with it.
    }
  }

  private static @Nullable ProcessHandle ownRedis(Path data) throws IOException {
    Path pidFile = data.resolve("redis.pid");
    return Files.exists(pidFile)
        ? ProcessHandle.of(Long.parseLong(Files.readString(pidFile).strip())).orElseThrow()
        : null;
  }

  Duration serverCpu() {
    return process.info().totalCpuDuration().orElse(Duration.ZERO);
  }

  /** Bytes of heap in use after a collection of garbage. */
  double heapAfterCollection() throws IOException, InterruptedException {
    command("GC.run");
    // A second one, for what the first one left to finalizers and references.
    command("GC.run");
    Matcher used = HEAP_USED.matcher(command("GC.heap_info"));
    double kilobytes = 0;
    while (used.find()) {
      kilobytes += Double.parseDouble(used.group(1));
    }
    return kilobytes * 1024;
  }

  private String command(String what) throws IOException, InterruptedException {
    Process jcmd =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                Long.toString(process.pid()),
                what)
            .redirectErrorStream(true)
            .start();
    String said = new String(jcmd.getInputStream().readAllBytes(), UTF_8);
    if (jcmd.waitFor() != 0) {
      throw new IOException("jcmd: " + said);
    }
    return said;
  }

  /** Of its own Redis. */
  Duration redisCpu() {
    return redis == null ? Duration.ZERO : redis.info().totalCpuDuration().orElse(Duration.ZERO);
  }

  @Override
  public void close() throws IOException, InterruptedException {
    process.destroy();
    process.waitFor();
    try (Stream<Path> files = Files.walk(data)) {
      files.sorted(Comparator.reverseOrder()).map(Path::toFile).forEach(File::delete);
    }
  }
}
