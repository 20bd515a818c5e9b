package dev.troupe.server.log;

import static dev.troupe.server.log.TailWithoutRedis.EPOCH;
import static dev.troupe.server.log.TailWithoutRedis.entry;
import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.server.log.PartitionLogs.LogHead;
import dev.troupe.server.log.PartitionTail.Attempt;
import dev.troupe.server.log.PartitionTail.Cursor;
import dev.troupe.server.log.PartitionTail.Outcome;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * A memory that Redis has left behind: it lost all after the first entry and was written to since,
 * and the tail has not noticed yet.
 */
final class PartitionTailTest {

  private final TailWithoutRedis log = new TailWithoutRedis(1);
  private final PartitionTail tail = log.tail;

  @BeforeEach
  void theMemoryHoldsOnlyTheTenthEntry() {
    tail.replaceRing(new LogHead(new LogPosition(1, 0, 1), EPOCH));
    for (int i = 2; i <= 10; i++) {
      assertThat(tail.append(List.of(entry(i)))).isTrue();
    }
  }

  @AfterEach
  void stop() {
    log.close();
  }

  @Test
  void aReaderAtTheEndOfWhatCameInsteadIsNotOverrunByIt() {
    Attempt told = attempt(readToTheEnd(EPOCH));
    assertThat(told.outcome()).isEqualTo(Outcome.READ);
    assertThat(told.page().live()).isTrue();
    assertThat(tail.isOverrun(behind(told))).isFalse();
    assertThat(attempt(behind(told)).outcome()).isEqualTo(Outcome.PARKED);
  }

  @Test
  void aReaderOfTheLogThatCameInsteadStaysInIt() {
    assertThat(attempt(readToTheEnd(EPOCH + 1)).epoch()).isEqualTo(EPOCH + 1);
  }

  /**
   * One that read five entries of what is there now, and was told by Redis that nothing follows.
   */
  private Cursor readToTheEnd(long epoch) {
    Cursor unchecked = new Cursor(new LogPosition(100, 0, 5), epoch, 0, 0, false, false, 0);
    Attempt before = attempt(unchecked);
    assertThat(before.outcome()).isEqualTo(Outcome.HISTORY);
    return new Cursor(unchecked.position(), epoch, before.life(), before.changes(), true, false, 0);
  }

  private static Cursor behind(Attempt told) {
    return new Cursor(
        new LogPosition(100, 0, 5), told.epoch(), 1, told.changes(), true, true, told.life());
  }

  private Attempt attempt(Cursor cursor) {
    PartitionReader reader = log.reader(cursor.position(), cursor.epoch());
    return tail.attempt(reader, cursor, 0, 10, 1_000);
  }
}
