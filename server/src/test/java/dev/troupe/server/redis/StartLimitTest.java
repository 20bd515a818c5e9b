package dev.troupe.server.redis;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

final class StartLimitTest {

  private static final long SECOND = 1_000_000_000;

  @Test
  void theNextStartWaitsUntilTheOldestIsAWindowAgo() {
    // Where the clock passes from the largest number to the smallest, as it may.
    long zero = Long.MAX_VALUE - 5 * SECOND;
    StartLimit limit = new StartLimit(2, Duration.ofSeconds(60));
    assertThat(limit.claim(zero)).isZero();
    assertThat(limit.claim(zero + 10 * SECOND)).isZero();
    assertThat(limit.claim(zero + 11 * SECOND)).hasSeconds(49);
    assertThat(limit.claim(zero + 59 * SECOND)).hasSeconds(1);
    assertThat(limit.claim(zero + 60 * SECOND)).isZero();
    assertThat(limit.claim(zero + 60 * SECOND)).hasSeconds(10);
    assertThat(limit.claim(zero + 300 * SECOND)).isZero();
    assertThat(limit.claim(zero + 300 * SECOND)).isZero();
    assertThat(limit.claim(zero + 300 * SECOND)).hasSeconds(60);
  }
}
