package dev.troupe.server.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

final class ServerOptionsTest {

  private static Duration timeout(String timeout, String wait) {
    ServerOptions options = new ServerOptions();
    options.timeout = timeout.isEmpty() ? null : Duration.parse(timeout);
    return options.timeoutWaiting(Duration.parse(wait));
  }

  @Test
  void a_server_that_does_not_answer_is_given_up_soon_after_the_timeout() {
    assertThat(timeout("PT0.3S", "PT1H")).isEqualTo(Duration.ofMillis(2300));
    assertThat(timeout("PT2S", "PT1S")).isEqualTo(Duration.ofSeconds(3));
    assertThat(timeout("PT10S", "PT1S")).isEqualTo(Duration.ofSeconds(10));
    assertThat(timeout("PT0.3S", "PT0S")).isEqualTo(Duration.ofMillis(300));
    assertThat(timeout("", "PT1M")).isEqualTo(Duration.ofSeconds(90));
  }
}
