package dev.troupe.server.memory;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.server.memory.DumpPlan.Step;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** When a dump is written: neither for little, nor so seldom that it is worth nothing. */
final class DumpPlanTest {

  private static final long MINUTE = Duration.ofMinutes(1).toNanos();
  private static final long ITEMS = 100_000;

  private final DumpPlan plan = new DumpPlan(Duration.ofMinutes(5));

  private Step next(long sequence, long changes, long nanos) {
    return plan.next(sequence, changes, ITEMS, nanos, false);
  }

  private Step last(long sequence, long changes) {
    return plan.next(sequence, changes, ITEMS, MINUTE, true);
  }

  @Test
  void fewItemsAreNotWorthOneAndTheOneThereIsGoes() {
    assertThat(plan.next(5, 5, DumpPlan.LEAST_ITEMS - 1, 0, false)).isEqualTo(Step.NOTHING);
    assertThat(plan.next(5, 5, DumpPlan.LEAST_ITEMS, 0, false)).isEqualTo(Step.WRITE);
    plan.kept(5, 5, 0);
    assertThat(plan.next(9, 9, DumpPlan.LEAST_ITEMS - 1, 0, false)).isEqualTo(Step.DELETE);
    plan.deleted();
    assertThat(plan.next(9, 9, DumpPlan.LEAST_ITEMS - 1, 0, false)).isEqualTo(Step.NOTHING);
  }

  @Test
  void oneIsWrittenWhenMuchChangedButNotTooOften() {
    plan.begins(0);
    plan.kept(10, 10, 0);
    assertThat(next(4_510, 4_510, 6 * MINUTE)).isEqualTo(Step.NOTHING);
    assertThat(next(5_100, 5_100, 6 * MINUTE)).isEqualTo(Step.WRITE);
    assertThat(next(5_100, 5_100, 4 * MINUTE)).isEqualTo(Step.NOTHING);
    // One change among many entries of others: the log has to be read all the same.
    assertThat(next(60_000, 11, 6 * MINUTE)).isEqualTo(Step.WRITE);
    // Before the log forgets where it was.
    assertThat(next(12, 11, 59 * MINUTE)).isEqualTo(Step.NOTHING);
    assertThat(next(12, 11, 61 * MINUTE)).isEqualTo(Step.WRITE);
  }

  @Test
  void oneThatCannotBeWrittenIsNotTriedAllTheTime() {
    assertThat(next(10, 10, 0)).isEqualTo(Step.WRITE);
    plan.begins(0);
    assertThat(next(10, 10, MINUTE)).isEqualTo(Step.NOTHING);
    assertThat(next(10, 10, 6 * MINUTE)).isEqualTo(Step.WRITE);
  }

  @Test
  void oneThatIsGoneIsWrittenAnewAfterAWhile() {
    plan.kept(10, 10, 0);
    assertThat(next(6_000, 10, MINUTE)).isEqualTo(Step.MOVE);
    plan.failed(MINUTE);
    assertThat(next(6_000, 10, MINUTE + 1)).isEqualTo(Step.NOTHING);
    assertThat(next(6_000, 10, 7 * MINUTE)).isEqualTo(Step.WRITE);
  }

  @Test
  void whereNothingChangedOnlyThePlaceIs() {
    plan.kept(10, 10, 0);
    assertThat(next(100, 10, MINUTE)).isEqualTo(Step.NOTHING);
    assertThat(next(6_000, 10, MINUTE)).isEqualTo(Step.MOVE);
    assertThat(next(100, 10, 61 * MINUTE)).isEqualTo(Step.MOVE);
    assertThat(next(10, 10, 61 * MINUTE)).isEqualTo(Step.NOTHING);
    assertThat(last(11, 10)).isEqualTo(Step.MOVE);
  }

  @Test
  void aServerThatStopsWritesUnlessLittleChanged() {
    assertThat(last(10, 10)).isEqualTo(Step.WRITE);
    plan.begins(0);
    plan.kept(10, 10, 0);
    assertThat(last(10, 10)).isEqualTo(Step.NOTHING);
    assertThat(last(460, 460)).isEqualTo(Step.NOTHING);
    assertThat(last(600, 600)).isEqualTo(Step.WRITE);
  }
}
