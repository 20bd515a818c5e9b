package dev.troupe.server.event.history;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the check of the log has to find: each test changes one thing of what was published. */
final class LogCheckTest {

  private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

  private final Published published = new Published();
  private final List<RedisCrash> crashes = new ArrayList<>();

  LogCheckTest() {
    for (int number = 1; number <= 3; number++) {
      published.tried(name(number));
      published.accepted(name(number), number, System.nanoTime());
    }
  }

  @Test
  void allThatWasAcceptedPasses() {
    assertThat(violations(got(1, 1), got(2, 2), got(3, 3))).isEmpty();
  }

  @Test
  void anEventThatWasAcceptedAndIsNotThereIsFound() {
    assertThat(violations(got(1, 1), got(2, 2))).singleElement().asString().contains("lost");
  }

  @Test
  void aHoleInATopicIsFound() {
    assertThat(violations(got(1, 1), got(3, 2), got(4, 3)))
        .singleElement()
        .asString()
        .contains("after");
  }

  @Test
  void anEventThatIsThereTwiceIsFound() {
    assertThat(violations(got(1, 1), got(2, 2), got(3, 3), got(4, 3)))
        .singleElement()
        .asString()
        .contains("twice");
  }

  @Test
  void anEventThatNobodyPublishedIsFound() {
    assertThat(violations(got(1, 1), got(2, 2), got(3, 3), got(4, 4)))
        .singleElement()
        .asString()
        .contains("nobody published");
  }

  @Test
  void eventsOfAPublisherThatChangedPlacesAreFound() {
    assertThat(violations(got(1, 2), got(2, 1), got(3, 3)))
        .singleElement()
        .asString()
        .contains("before");
  }

  @Test
  void aCrashExcusesWhatItCut() {
    crash(true, Set.of(1, 2), Set.of(3), 10);
    assertThat(violations(got(1, 1), got(2, 2))).isEmpty();
  }

  @Test
  void aCrashExcusesWhatWasAcceptedInItsLastMomentsAndNeverWritten() {
    crash(true, Set.of(1, 2), Set.of(), 1);
    assertThat(violations(got(1, 1), got(2, 2))).isEmpty();
  }

  @Test
  void whatWasAcceptedLongBeforeACrashAndNeverWrittenIsFound() {
    crash(true, Set.of(1, 2), Set.of(), 10);
    assertThat(violations(got(1, 1), got(2, 2))).singleElement().asString().contains("lost");
  }

  @Test
  void whatTheCrashHadLeftAndIsNotThereIsFound() {
    crash(true, Set.of(1, 2, 3), Set.of(), 1);
    assertThat(violations(got(1, 1), got(2, 2))).singleElement().asString().contains("lost");
  }

  @Test
  void whatCameBackAfterACrashAndWasLostInTheNextWithoutReasonIsFound() {
    crash(true, Set.of(1, 2), Set.of(3), 1);
    crash(true, Set.of(1, 2, 3), Set.of(), 1);
    assertThat(violations(got(1, 1), got(2, 2))).singleElement().asString().contains("lost");
  }

  @Test
  void nothingIsExcusedWhereAllIsOnDiskBeforeItIsAnswered() {
    crash(false, Set.of(1, 2), Set.of(3), 1);
    assertThat(violations(got(1, 1), got(2, 2))).singleElement().asString().contains("lost");
  }

  @Test
  void whatWasTriedAfterACrashIsNotExcusedByIt() {
    long longAgo = System.nanoTime() - 100 * SECOND;
    crashes.add(
        new RedisCrash(longAgo, longAgo + SECOND, true, names(Set.of(1, 2)), names(Set.of(3))));
    assertThat(violations(got(1, 1), got(2, 2))).singleElement().asString().contains("lost");
  }

  /** One that comes some seconds after all was accepted. */
  private void crash(boolean mayLose, Set<Integer> kept, Set<Integer> cut, int seconds) {
    long killed = System.nanoTime() + seconds * SECOND;
    crashes.add(new RedisCrash(killed, killed + SECOND, mayLose, names(kept), names(cut)));
  }

  private List<String> violations(Seen.Got... log) {
    return new LogCheck(published, crashes).violations(Stream.of(log).toList());
  }

  private static Set<EventName> names(Set<Integer> numbers) {
    return numbers.stream().map(LogCheckTest::name).collect(Collectors.toSet());
  }

  private static EventName name(int number) {
    return new EventName("topic", "publisher", "" + number);
  }

  private static Seen.Got got(long position, int number) {
    return new Seen.Got(name(number), "", 10 * position, position, 1000 * position);
  }
}
