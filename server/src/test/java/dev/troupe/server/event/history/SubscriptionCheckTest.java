package dev.troupe.server.event.history;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the check has to find. */
final class SubscriptionCheckTest {

  private final List<Seen> history = new ArrayList<>();
  private final List<Seen.Event> accepted = List.of(event("a"), event("b"), event("c"), event("d"));

  @Test
  void aWholeHistoryPasses() {
    batch(0, 5, got(2, 1, "a"), got(5, 2, "b"));
    batch(5, 9, got(7, 3, "c"), got(9, 4, "d"));
    assertThat(violations(false)).isEmpty();
  }

  @Test
  void aLostEventIsFound() {
    batch(0, 5, got(2, 1, "a"), got(5, 2, "b"));
    batch(5, 9, got(9, 4, "d"));
    assertThat(violations(false)).hasSize(2).anyMatch(one -> one.contains("never saw"));
  }

  @Test
  void anEventThatCameTwiceIsFound() {
    batch(0, 5, got(2, 1, "a"), got(5, 2, "b"));
    batch(5, 9, got(6, 3, "b"), got(7, 4, "c"), got(9, 5, "d"));
    assertThat(violations(false)).singleElement().asString().contains("twice");
  }

  @Test
  void eventsOutOfOrderAreFound() {
    batch(0, 5, got(2, 2, "b"), got(5, 1, "a"));
    batch(5, 9, got(7, 3, "c"), got(9, 4, "d"));
    assertThat(violations(false)).isNotEmpty();
  }

  @Test
  void aReaderThatGoesBackIsFound() {
    batch(0, 5, got(2, 1, "a"), got(5, 2, "b"));
    batch(4, 9, got(7, 3, "c"), got(9, 4, "d"));
    assertThat(violations(false)).singleElement().asString().contains("read partition");
  }

  @Test
  void aHoleThatNobodyWasToldOfIsFound() {
    batch(0, 5, got(2, 1, "a"), got(5, 2, "b"));
    batch(6, 9, got(7, 3, "c"), got(9, 4, "d"));
    assertThat(violations(false)).singleElement().asString().contains("read partition");
  }

  @Test
  void aResumedStreamMayBeginBehindWhatDidNotMatchButNeverBefore() {
    batch(0, 5, got(2, 1, "a"), got(5, 2, "b"));
    history.add(new Seen.Batch(0, true, 6, 9, List.of(got(7, 3, "c"), got(9, 4, "d"))));
    assertThat(violations(false)).isEmpty();
    history.add(new Seen.Batch(0, true, 8, 8, List.of()));
    assertThat(violations(false)).singleElement().asString().contains("read partition");
  }

  @Test
  void aHoleThatIsToldOfPassesOnlyWhereOneMayBe() {
    batch(0, 2, got(2, 1, "a"));
    history.add(new Seen.Missing(0, 2, 7, "trimmed"));
    batch(7, 9, got(9, 4, "d"));
    assertThat(violations(true)).isEmpty();
    assertThat(violations(false)).singleElement().asString().contains("hole");
  }

  @Test
  void anEventThatNobodyAskedForIsFound() {
    batch(0, 5, got(2, 1, "a"), got(3, 2, "b"), got(4, 3, "c"), got(5, 4, "d"));
    batch(5, 6, new Seen.Got("other", 6, 1, "p", "x"));
    assertThat(violations(false)).singleElement().asString().contains("does not want");
  }

  private List<String> violations(boolean mayMiss) {
    return new SubscriptionCheck("reader")
        .violations(history, true, accepted, event -> event.topic().equals("topic"), mayMiss);
  }

  private void batch(long previous, long read, Seen.Got... events) {
    history.add(new Seen.Batch(0, false, previous, read, List.of(events)));
  }

  private static Seen.Got got(long position, long topicPosition, String id) {
    return new Seen.Got("topic", position, topicPosition, "p", id);
  }

  private static Seen.Event event(String id) {
    return new Seen.Event("topic", "p", id);
  }
}
