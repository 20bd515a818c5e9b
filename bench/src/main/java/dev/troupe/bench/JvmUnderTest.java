package dev.troupe.bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A server in a JVM of its own, set up as Troupe's are, whose processor time and heap can be read.
 * It tells its port in a line of its output that begins with "listening on". It ends with this
 * process at the latest.
 */
final class JvmUnderTest implements AutoCloseable {

  /** As the launcher starts it: with large pages where the system has them, and Netty's options. */
  static final List<String> AS_LAUNCHED =
      List.of(
          "-XX:+UseParallelGC",
          "-XX:MetaspaceSize=96m",
          "-Dio.netty.recycler.maxCapacityPerThread=0",
          "-Dio.netty.leakDetection.level=disabled",
          "-XX:+IgnoreUnrecognizedVMOptions",
          "-XX:+UseTransparentHugePages");

  /** Of the parts of the parallel collector's heap. */
  private static final Pattern HEAP_USED =
      Pattern.compile("(?:PSYoungGen|ParOldGen) +total \\d+K, used (\\d+)K");

  private final Process process;
  private final Thread whenWeEnd;
  final int port;

  /**
   * Starts one and returns when it listens.
   *
   * @param arguments those of the JVM that not all have, what it runs, and the arguments of that
   */
  JvmUnderTest(List<String> arguments) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(tool("java"));
    command.addAll(AS_LAUNCHED);
    command.add("-Xmx512m");
    command.addAll(arguments);
    process = new ProcessBuilder(command).redirectErrorStream(true).start();
    whenWeEnd = new Thread(process::destroy, "end of a server");
    Runtime.getRuntime().addShutdownHook(whenWeEnd);
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
  }

  private static String tool(String name) {
    return Path.of(System.getProperty("java.home"), "bin", name).toString();
  }

  /** So that it never waits for somebody to read what it says. */
  private static void drain(BufferedReader output) {
    try {
      output.lines().forEach(ignored -> {});
    } catch (UncheckedIOException e) {
      // It was ended, and its output closed with it.
    }
  }

  Duration cpu() {
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
        new ProcessBuilder(tool("jcmd"), Long.toString(process.pid()), what)
            .redirectErrorStream(true)
            .start();
    String said = new String(jcmd.getInputStream().readAllBytes(), UTF_8);
    if (jcmd.waitFor() != 0) {
      throw new IOException("jcmd: " + said);
    }
    return said;
  }

  @Override
  public void close() throws InterruptedException {
    process.destroy();
    process.waitFor();
    Runtime.getRuntime().removeShutdownHook(whenWeEnd);
  }
}
