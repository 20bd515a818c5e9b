package dev.troupe.server.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

final class AdmissionTest {

  private static final long MILLI = 1_000_000;

  private final Admission admission = new Admission(1_000, Duration.ofMillis(50), 0);

  @Test
  void anIdleServerLetsABurstInAsAWhole() {
    for (int i = 0; i < 1_000; i++) {
      assertThat(admission.tryEnter()).isTrue();
    }
    assertThat(admission.tryEnter()).isFalse();
    admission.leave();
    assertThat(admission.tryEnter()).isTrue();
  }

  @Test
  void slowCallsLowerTheLimitToItsLeastAndFastOnesRaiseItAgain() {
    long now = 0;
    for (int i = 0; i < 100; i++) {
      now += 51 * MILLI;
      call(80 * MILLI, now);
    }
    assertThat(admission.limit()).isEqualTo(Admission.LEAST);
    for (int i = 0; i < 100; i++) {
      now += 51 * MILLI;
      call(2 * MILLI, now);
    }
    assertThat(admission.limit()).isEqualTo(1_000);
  }

  @Test
  void theLimitMovesOnceAWindowByTheAverageOfItsCalls() {
    for (int i = 0; i < 99; i++) {
      call(MILLI, MILLI);
    }
    assertThat(admission.limit()).isEqualTo(1_000);
    // One slow call among a hundred is no overload.
    call(1_000 * MILLI, 51 * MILLI);
    assertThat(admission.limit()).isEqualTo(1_000);
    call(60 * MILLI, 102 * MILLI);
    assertThat(admission.limit()).isEqualTo(900);
  }

  @Test
  void aCallThatWaitsCountsNeitherAsOneUnderWayNorAsSlow() {
    assertThat(admission.tryEnter()).isTrue();
    admission.leave();
    call(MILLI, 51 * MILLI);
    assertThat(admission.limit()).isEqualTo(1_000);
  }

  private void call(long took, long now) {
    assertThat(admission.tryEnter()).isTrue();
    admission.leave(took, now);
  }
}
