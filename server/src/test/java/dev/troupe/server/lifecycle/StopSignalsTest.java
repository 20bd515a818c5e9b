package dev.troupe.server.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.base.Ticker;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Sends real signals to a real process. */
class StopSignalsTest {

  /** A process with one service, whose stop ends at once or not at all. */
  static final class Victim {
    public static void main(String[] arguments) throws Exception {
      CountDownLatch never = new CountDownLatch(1);
      Lifecycle lifecycle = new Lifecycle(Ticker.systemTicker(), Duration.ofMinutes(5));
      lifecycle.register(
          "service",
          Service.closing(
              () -> {
                System.out.println("stopping");
                if (arguments[0].equals("hang")) {
                  never.await();
                }
              }));
      StopSignals.install(lifecycle);
      lifecycle.start().thenRun(() -> System.out.println("started"));
      never.await();
    }
  }

  private static Process start(String how) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            System.getProperty("java.class.path"),
            Victim.class.getName(),
            how)
        .redirectError(ProcessBuilder.Redirect.DISCARD)
        .start();
  }

  private static BufferedReader reader(Process process) {
    return new BufferedReader(
        new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
  }

  @Test
  void a_signal_stops_the_services_and_ends_the_process_well() throws Exception {
    Process process = start("well");
    try (BufferedReader out = reader(process)) {
      assertThat(out.readLine()).isEqualTo("started");

      process.toHandle().destroy();

      assertThat(out.readLine()).isEqualTo("stopping");
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(process.exitValue()).isZero();
    } finally {
      process.destroyForcibly();
    }
  }

  @Test
  void a_second_signal_ends_a_process_whose_stop_hangs() throws Exception {
    Process process = start("hang");
    try (BufferedReader out = reader(process)) {
      assertThat(out.readLine()).isEqualTo("started");
      process.toHandle().destroy();
      assertThat(out.readLine()).isEqualTo("stopping");
      assertThat(process.isAlive()).isTrue();

      process.toHandle().destroy();

      assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(process.exitValue()).isEqualTo(130);
    } finally {
      process.destroyForcibly();
    }
  }
}
