package dev.troupe.server.grpc;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.server.Main;
import dev.troupe.server.crash.TroupeProcess;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class FreePortTest {

  @Test
  void aServerWhosePortIsTakenSaysSoAndNothingElse(@TempDir Path directory) throws Exception {
    Path data = directory.resolve("data");
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      Process server =
          TroupeProcess.java(
              Main.class,
              "serve",
              "--grpc.port=" + taken.getLocalPort(),
              "--redis.data-dir=" + data);
      List<String> said;
      try (BufferedReader reader =
          new BufferedReader(new InputStreamReader(server.getInputStream(), UTF_8))) {
        said = reader.lines().toList();
      }
      assertThat(server.waitFor()).isEqualTo(1);
      assertThat(said.stream().filter(line -> !isOfSettings(line)))
          .singleElement()
          .asString()
          .startsWith("the server did not start: gRPC did not start: cannot listen on 127.0.0.1:")
          .endsWith("name another port with --port");
    }
    assertThat(Files.exists(data)).as("a Redis was started for it").isFalse();
  }

  private static boolean isOfSettings(String line) {
    return line.matches("[a-z]+\\.[a-z-]+ .*") || line.startsWith("all other settings ");
  }
}
