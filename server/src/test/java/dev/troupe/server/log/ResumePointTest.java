package dev.troupe.server.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.server.error.TroupeException;
import dev.troupe.server.log.PartitionLogs.LogHead;
import dev.troupe.v1.ErrorReason;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class ResumePointTest {

  private static final LogHead NOW = new LogHead(new LogPosition(1_763_690_000_000L, 7, 42), 99);
  private static final LogHead TIME =
      new LogHead(new LogPosition(1_763_690_000_000L, 0xFFFFFFFFL, -1), 0);

  @Test
  void aTokenNamesThePositionsItWasMadeFrom() {
    ResumePoint point = ResumePoint.of("default", "events", Map.of(0, NOW, 511, TIME));
    assertThat(ResumePoint.parse("default", "events", point.token()).positions())
        .containsExactly(Map.entry(0, NOW), Map.entry(511, TIME));
  }

  @Test
  void movingOnePositionLeavesTheOthers() {
    ResumePoint point = ResumePoint.of("default", "events", Map.of(0, NOW, 1, NOW));
    LogPosition moved = new LogPosition(1_763_690_000_001L, 0, 43);
    point.move(1, moved, 99);
    assertThat(ResumePoint.parse("default", "events", point.token()).positions())
        .containsExactly(Map.entry(0, NOW), Map.entry(1, new LogHead(moved, 99)));
  }

  @Test
  void everyAlteredCharacterIsNoticed() {
    String token = ResumePoint.of("default", "events", Map.of(0, NOW, 1, TIME)).token();
    for (int i = 0; i < token.length(); i++) {
      String altered =
          token.substring(0, i) + (token.charAt(i) == 'B' ? 'C' : 'B') + token.substring(i + 1);
      assertRefused("default", "events", altered);
    }
    for (int i = 0; i < token.length(); i++) {
      assertRefused("default", "events", token.substring(0, i));
    }
  }

  @Test
  void aTokenIsGoodForNothingElse() {
    String token = ResumePoint.of("default", "events", Map.of(0, NOW)).token();
    assertRefused("other", "events", token);
    assertRefused("default", "agents", token);
    assertRefused("defaul", "tevents", token);
  }

  private static void assertRefused(String namespace, String purpose, String token) {
    assertThatThrownBy(() -> ResumePoint.parse(namespace, purpose, token))
        .isInstanceOfSatisfying(
            TroupeException.class,
            refusal ->
                assertThat(refusal.reason())
                    .isEqualTo(ErrorReason.ERROR_REASON_INVALID_RESUME_TOKEN));
  }
}
