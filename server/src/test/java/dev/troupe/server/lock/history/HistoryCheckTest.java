package dev.troupe.server.lock.history;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.v1.LockChange;
import dev.troupe.v1.LockChangeKind;
import dev.troupe.v1.LockMode;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A check that finds nothing proves nothing, so here is what it has to find. */
final class HistoryCheckTest {

  private final HistoryCheck check = new HistoryCheck(3);

  private static Tenure tenure(LockMode mode, int permits, long token, long from, long until) {
    return new Tenure("l", mode, permits, "o" + token, token, from, until);
  }

  private static LockChange change(LockChangeKind kind, LockMode mode, long token, long wait) {
    return LockChange.newBuilder()
        .setKind(kind)
        .setName("l")
        .setOwner("o" + token)
        .setMode(mode)
        .setPermits(1)
        .setFencingToken(token)
        .setWaitNumber(wait)
        .build();
  }

  private static LockChange acquired(long token, long wait) {
    return change(
        LockChangeKind.LOCK_CHANGE_KIND_ACQUIRED, LockMode.LOCK_MODE_EXCLUSIVE, token, wait);
  }

  private static LockChange released(long token) {
    return change(LockChangeKind.LOCK_CHANGE_KIND_RELEASED, LockMode.LOCK_MODE_EXCLUSIVE, token, 0);
  }

  @Test
  void aGoodHistoryIsGood() {
    check.tenures(
        List.of(
            tenure(LockMode.LOCK_MODE_EXCLUSIVE, 1, 1, 0, 10),
            tenure(LockMode.LOCK_MODE_EXCLUSIVE, 1, 2, 10, 20),
            tenure(LockMode.LOCK_MODE_SHARED, 1, 3, 20, 40),
            tenure(LockMode.LOCK_MODE_SHARED, 1, 4, 30, 50)));
    check.log(
        List.of(acquired(1, 0), released(1), acquired(2, 5), released(2), acquired(7, 6)),
        List.of(tenure(LockMode.LOCK_MODE_EXCLUSIVE, 1, 7, 0, 1)));
    assertThat(check.violations()).isEmpty();
  }

  @Test
  void twoHoldersAtATimeAreFound() {
    check.tenures(
        List.of(
            tenure(LockMode.LOCK_MODE_EXCLUSIVE, 1, 1, 0, 10),
            tenure(LockMode.LOCK_MODE_EXCLUSIVE, 1, 2, 9, 20)));
    assertThat(check.violations()).hasSize(1);
  }

  @Test
  void aWriterBesideAReaderIsFound() {
    check.tenures(
        List.of(
            tenure(LockMode.LOCK_MODE_SHARED, 1, 1, 0, 10),
            tenure(LockMode.LOCK_MODE_EXCLUSIVE, 1, 2, 5, 6)));
    assertThat(check.violations()).hasSize(1);
  }

  @Test
  void tooManyPermitsAreFound() {
    check.tenures(
        List.of(
            tenure(LockMode.LOCK_MODE_SEMAPHORE, 2, 1, 0, 10),
            tenure(LockMode.LOCK_MODE_SEMAPHORE, 2, 2, 5, 6)));
    assertThat(check.violations()).hasSize(1);
  }

  @Test
  void aGrantBesideAHolderIsFound() {
    check.log(List.of(acquired(1, 0), acquired(2, 0)), List.of());
    assertThat(check.violations()).hasSize(1);
  }

  @Test
  void aTokenThatFallsIsFound() {
    check.log(List.of(acquired(2, 0), released(2), acquired(1, 0)), List.of());
    assertThat(check.violations()).hasSize(1);
  }

  @Test
  void aWaitThatOvertakesIsFound() {
    check.log(List.of(acquired(1, 9), released(1), acquired(2, 8)), List.of());
    assertThat(check.violations()).hasSize(1);
  }

  @Test
  void anEndWithoutABeginningIsFound() {
    check.log(List.of(released(1)), List.of());
    assertThat(check.violations()).hasSize(1);
  }

  @Test
  void aLeaseThatNobodyGrantedIsFound() {
    check.log(List.of(acquired(1, 0)), List.of(tenure(LockMode.LOCK_MODE_EXCLUSIVE, 1, 2, 0, 1)));
    assertThat(check.violations()).hasSize(1);
  }
}
