package dev.troupe.examples.survey;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A server for the length of one survey, when none was named; its data goes with it. */
final class SurveyServer implements AutoCloseable {

  private static final long STOP_SECONDS = 20;

  private final Path data;
  private final Process process;
  private final String address;

  SurveyServer(Path data) throws IOException {
    this.data = data;
    int port = freePort();
    address = "127.0.0.1:" + port;
    List<String> command = new ArrayList<>(JavaProcess.command("dev.troupe.server.Main"));
    command.addAll(List.of("serve", "--grpc.port=" + port, "--redis.data-dir=" + data));
    process = new ProcessBuilder(command).redirectErrorStream(true).start();
    awaitStart();
  }

  String address() {
    return address;
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private void awaitStart() throws IOException {
    BufferedReader output =
        new BufferedReader(new InputStreamReader(process.getInputStream(), UTF_8));
    List<String> said = new ArrayList<>();
    for (String line = output.readLine(); line != null; line = output.readLine()) {
      said.add(line);
      if (line.startsWith("listening on")) {
        // Whatever it says from now on has to be read, or it would wait for us.
        Thread reader = new Thread(() -> readOn(output), "server output");
        reader.setDaemon(true);
        reader.start();
        return;
      }
    }
    throw new IOException("the server did not start:\n" + String.join("\n", said));
  }

  @SuppressWarnings("StatementWithEmptyBody")
  private static void readOn(BufferedReader output) {
    try (output) {
      while (output.readLine() != null) {}
    } catch (IOException ended) {
      // Its process is gone, and its stream with it.
    }
  }

  @Override
  public void close() throws IOException {
    process.destroy();
    try {
      if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
    try (Stream<Path> files = Files.walk(data)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }
}
