package dev.troupe.server.config;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/** What is refused is told as people write it, and the bounds themselves are allowed. */
final class DurationBoundsTest {

  private static final Duration LEAST = Duration.ofMillis(250);
  private static final Duration MOST = Duration.ofMinutes(1);

  @Test
  void theLeastIsEnough() {
    assertThatCode(() -> DurationBounds.atLeast("a.wait", LEAST, LEAST)).doesNotThrowAnyException();
    assertThatThrownBy(() -> DurationBounds.atLeast("a.wait", LEAST.minusMillis(1), LEAST))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a.wait: 249ms (expected: 250ms or more)");
  }

  @Test
  void aRangeHasBothItsEnds() {
    assertThatCode(
            () -> {
              DurationBounds.between("a.wait", LEAST, LEAST, MOST);
              DurationBounds.between("a.wait", MOST, LEAST, MOST);
            })
        .doesNotThrowAnyException();
    assertThatThrownBy(() -> DurationBounds.between("a.wait", Duration.ZERO, LEAST, MOST))
        .hasMessage("a.wait: 0s (expected: 250ms to 1m)");
    assertThatThrownBy(() -> DurationBounds.between("a.wait", MOST.plusSeconds(30), LEAST, MOST))
        .hasMessage("a.wait: 90s (expected: 250ms to 1m)");
  }

  @Test
  void zeroMayStandForNone() {
    assertThatCode(() -> DurationBounds.zeroOrBetween("a.wait", Duration.ZERO, LEAST, MOST))
        .doesNotThrowAnyException();
    assertThatThrownBy(
            () -> DurationBounds.zeroOrBetween("a.wait", Duration.ofMillis(1), LEAST, MOST))
        .hasMessage("a.wait: 1ms (expected: 0 for none, or 250ms to 1m)");
    assertThatThrownBy(
            () -> DurationBounds.zeroOrBetween("a.wait", Duration.ofSeconds(-1), LEAST, MOST))
        .hasMessage("a.wait: PT-1S (expected: 0 for none, or 250ms to 1m)");
  }
}
