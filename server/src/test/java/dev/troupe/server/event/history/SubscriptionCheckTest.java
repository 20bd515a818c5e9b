package dev.troupe.server.event.history;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.v1.GapReason;
import dev.troupe.v1.SubscribeRequest;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the check of a subscription has to find: each test changes one thing of a whole history. */
final class SubscriptionCheckTest {

  private final long startedNanos = System.nanoTime();
  private final Trims trims = new Trims();
  private final List<Seen> history = new ArrayList<>();
  private final List<Seen.Got> log =
      List.of(got(2, 1, "a"), got(5, 2, "b"), got(7, 3, "c"), got(9, 4, "d"));

  @Test
  void aWholeHistoryPasses() {
    batch(0, 5, got(2, 1, "a"), got(5, 2, "b"));
    batch(5, 9, got(7, 3, "c"), got(9, 4, "d"));
    assertThat(violations()).isEmpty();
  }

  @Test
  void aLostEventIsFound() {
    batch(0, 5, got(2, 1, "a"), got(5, 2, "b"));
    batch(5, 9, got(9, 4, "d"));
    assertThat(violations()).singleElement().asString().contains("never saw").contains("id=c");
  }

  @Test
  void aLostEndIsFound() {
    batch(0, 5, got(2, 1, "a"), got(5, 2, "b"));
    assertThat(violations()).hasSize(2).allMatch(one -> one.contains("never saw"));
  }

  @Test
  void anEventThatCameTwiceIsFound() {
    batch(0, 5, got(2, 1, "a"), got(5, 2, "b"));
    batch(5, 9, got(6, 3, "b"), got(7, 3, "c"), got(9, 4, "d"));
    assertThat(violations()).anyMatch(one -> one.contains("twice"));
  }

  @Test
  void anEventThatIsNotInTheLogIsFound() {
    batch(0, 5, got(2, 1, "a"), got(3, 1, "x"), got(5, 2, "b"));
    batch(5, 9, got(7, 3, "c"), got(9, 4, "d"));
    assertThat(violations()).anyMatch(one -> one.contains("does not have"));
  }

  @Test
  void anEventAtAnotherPlaceThanInTheLogIsFound() {
    batch(0, 5, got(3, 1, "a"), got(5, 2, "b"));
    batch(5, 9, got(7, 3, "c"), got(9, 4, "d"));
    assertThat(violations())
        .anyMatch(one -> one.contains("does not have"))
        .anyMatch(one -> one.contains("never saw"));
  }

  @Test
  void eventsThatChangedPlacesWithinABatchAreFound() {
    batch(0, 5, got(5, 2, "b"), got(2, 1, "a"));
    batch(5, 9, got(7, 3, "c"), got(9, 4, "d"));
    assertThat(violations())
        .anyMatch(one -> one.contains("out of place"))
        .anyMatch(one -> one.contains("id=a") && one.contains("after"));
  }

  @Test
  void batchesThatChangedPlacesAreFound() {
    batch(5, 9, got(7, 3, "c"), got(9, 4, "d"));
    batch(0, 5, got(2, 1, "a"), got(5, 2, "b"));
    assertThat(violations())
        .anyMatch(one -> one.contains("read partition 0 from 5 after 0"))
        .anyMatch(one -> one.contains("read partition 0 from 0 after 9"));
  }

  @Test
  void anEventBeyondWhatWasReadIsFound() {
    batch(0, 5, got(2, 1, "a"), got(5, 2, "b"));
    batch(5, 8, got(7, 3, "c"), got(9, 4, "d"));
    assertThat(violations()).singleElement().asString().contains("out of place");
  }

  @Test
  void aHoleThatNobodyWasToldOfIsFound() {
    batch(0, 5, got(2, 1, "a"), got(5, 2, "b"));
    batch(6, 9, got(7, 3, "c"), got(9, 4, "d"));
    assertThat(violations()).singleElement().asString().contains("from 6 after 5");
  }

  @Test
  void aReaderThatGoesBackIsFound() {
    batch(0, 5, got(2, 1, "a"), got(5, 2, "b"));
    batch(4, 9, got(7, 3, "c"), got(9, 4, "d"));
    assertThat(violations()).singleElement().asString().contains("from 4 after 5");
  }

  @Test
  void aResumedStreamMayBeginBehindWhatDidNotMatchButNeverBefore() {
    batch(0, 5, got(2, 1, "a"), got(5, 2, "b"));
    history.add(new Seen.Batch(0, true, 6, 9, List.of(got(7, 3, "c"), got(9, 4, "d"))));
    assertThat(violations()).isEmpty();
    history.add(new Seen.Batch(0, true, 8, 8, List.of()));
    assertThat(violations()).singleElement().asString().contains("from 8 after 9");
  }

  @Test
  void aResumedStreamThatBeginsBehindAnEventIsFound() {
    batch(0, 5, got(2, 1, "a"), got(5, 2, "b"));
    history.add(new Seen.Batch(0, true, 7, 9, List.of(got(9, 4, "d"))));
    assertThat(violations()).singleElement().asString().contains("never saw").contains("id=c");
  }

  @Test
  void anEventOfAnotherPartitionIsFound() {
    history.add(new Seen.Batch(1, false, 0, 2, List.of(got(2, 1, "a"))));
    batch(0, 5, got(5, 2, "b"));
    batch(5, 9, got(7, 3, "c"), got(9, 4, "d"));
    assertThat(violations()).singleElement().asString().contains("is from partition 1");
  }

  @Test
  void anEventThatNobodyAskedForIsFound() {
    batch(0, 5, got(2, 1, "a"), got(5, 2, "b"));
    batch(5, 9, got(7, 3, "c"), got(9, 4, "d"));
    assertThat(
            new SubscriptionCheck("reader", false, false, trims, startedNanos)
                .violations(history, log, event -> !event.event().id().equals("c"), topic -> 0))
        .singleElement()
        .asString()
        .contains("does not want");
  }

  // The log is trimmed: who reads nothing else is told what is gone, and only that.

  @Test
  void aGapPassesWhereTheLogIsTrimmed() {
    trims.asked(0, 7);
    batch(0, 2, got(2, 1, "a"));
    gap(2, 7, GapReason.GAP_REASON_TRIMMED);
    batch(7, 9, got(9, 4, "d"));
    assertThat(violations()).isEmpty();
  }

  @Test
  void aGapWhereNothingIsTrimmedIsFound() {
    batch(0, 2, got(2, 1, "a"));
    gap(2, 7, GapReason.GAP_REASON_TRIMMED);
    batch(7, 9, got(9, 4, "d"));
    assertThat(violations(true, true)).anyMatch(one -> one.contains("told of a gap"));
  }

  @Test
  void aGapThatOneWhoNamesItsTopicsIsToldOfIsFound() {
    trims.asked(0, 7);
    batch(0, 2, got(2, 1, "a"));
    gap(2, 7, GapReason.GAP_REASON_TRIMMED);
    batch(7, 9, got(9, 4, "d"));
    assertThat(violationsOf("top*")).isEmpty();
    assertThat(violationsOf("topic")).anyMatch(one -> one.contains("told of a gap"));
  }

  private List<String> violationsOf(String topic) {
    SubscribeRequest request = SubscribeRequest.newBuilder().addTopics(topic).build();
    Reader reader = new Reader(request, Bookmark.NONE, List.of(), 0);
    return new Subscription("reader", request, event -> true, reader)
        .check(trims, false)
        .violations(history, log, event -> true, any -> 0);
  }

  @Test
  void aGapWhereAnotherPartitionIsTrimmedIsFound() {
    trims.asked(1, 7);
    batch(0, 2, got(2, 1, "a"));
    gap(2, 7, GapReason.GAP_REASON_TRIMMED);
    batch(7, 9, got(9, 4, "d"));
    assertThat(violations()).anyMatch(one -> one.contains("told of a gap"));
  }

  @Test
  void aGapThatIsWiderThanWhatIsTrimmedIsFound() {
    trims.asked(0, 6);
    batch(0, 2, got(2, 1, "a"));
    gap(2, 7, GapReason.GAP_REASON_TRIMMED);
    batch(7, 9, got(9, 4, "d"));
    assertThat(violations()).anyMatch(one -> one.contains("told of a gap"));
  }

  @Test
  void aGapThatIsToldBeforeTheLogIsTrimmedIsFound() {
    batch(0, 2, got(2, 1, "a"));
    gap(2, 7, GapReason.GAP_REASON_TRIMMED);
    awaitLater();
    trims.asked(0, 7);
    batch(7, 9, got(9, 4, "d"));
    assertThat(violations()).anyMatch(one -> one.contains("told of a gap"));
  }

  @Test
  void aTrimmedEventThatNobodyWasToldOfIsFound() {
    trims.asked(0, 7);
    batch(0, 5, got(2, 1, "a"), got(5, 2, "b"));
    batch(7, 9, got(9, 4, "d"));
    assertThat(violations())
        .anyMatch(one -> one.contains("from 7 after 5"))
        .anyMatch(one -> one.contains("never saw") && one.contains("id=c"));
  }

  @Test
  void aTrimmedEventThatAResumedStreamLeavesOutIsFound() {
    trims.asked(0, 7);
    batch(0, 5, got(2, 1, "a"), got(5, 2, "b"));
    history.add(new Seen.Batch(0, true, 7, 9, List.of(got(9, 4, "d"))));
    assertThat(violations()).singleElement().asString().contains("never saw").contains("id=c");
  }

  @Test
  void aGapThatIsCalledALossOfTheEndIsFound() {
    trims.asked(0, 7);
    batch(0, 2, got(2, 1, "a"));
    gap(2, 7, GapReason.GAP_REASON_EPOCH_CHANGED);
    batch(7, 9, got(9, 4, "d"));
    assertThat(violations(false, true)).anyMatch(one -> one.contains("loss of nothing"));
  }

  @Test
  void whoBeginsBehindWhatIsTrimmedNeedNotBeTold() {
    trims.asked(0, 5);
    awaitLater();
    history.add(new Seen.Batch(0, true, 5, 9, List.of(got(7, 3, "c"), got(9, 4, "d"))));
    assertThat(violationsOfALateReader()).isEmpty();
  }

  @Test
  void whoBeginsBehindMoreThanIsTrimmedIsFound() {
    trims.asked(0, 5);
    awaitLater();
    history.add(new Seen.Batch(0, true, 7, 9, List.of(got(9, 4, "d"))));
    assertThat(violationsOfALateReader())
        .singleElement()
        .asString()
        .contains("never saw")
        .contains("id=c");
  }

  @Test
  void whoBeganBeforeTheLogWasTrimmedAndWasNotToldIsFound() {
    awaitLater();
    trims.asked(0, 5);
    history.add(new Seen.Batch(0, true, 5, 9, List.of(got(7, 3, "c"), got(9, 4, "d"))));
    assertThat(violations())
        .hasSize(2)
        .allMatch(one -> one.contains("never saw"))
        .anyMatch(one -> one.contains("id=a"))
        .anyMatch(one -> one.contains("id=b"));
  }

  @Test
  void aHoleInWhatALateReaderGotIsFoundAlsoWhereItIsTrimmed() {
    trims.asked(0, 9);
    awaitLater();
    history.add(new Seen.Batch(0, true, 0, 5, List.of(got(2, 1, "a"))));
    history.add(new Seen.Batch(0, false, 5, 9, List.of(got(7, 3, "c"), got(9, 4, "d"))));
    assertThat(violationsOfALateReader())
        .singleElement()
        .asString()
        .contains("never saw")
        .contains("id=b");
  }

  // The log lost its end: "x" and "y" were there, and others have their places now.

  @Test
  void aLossThatIsToldOfPasses() {
    beforeTheLoss();
    gap(8, 5, GapReason.GAP_REASON_EPOCH_CHANGED);
    batch(5, 9, got(7, 3, "c"), got(9, 4, "d"));
    assertThat(violations(false, true)).isEmpty();
  }

  @Test
  void whoIsNotToldOfALossYetIsWaitedFor() {
    beforeTheLoss();
    assertThat(sawOnly()).isFalse();
    gap(8, 5, GapReason.GAP_REASON_EPOCH_CHANGED);
    assertThat(sawOnly()).isTrue();
  }

  @Test
  void aLossWhereNothingMayBeLostIsFound() {
    beforeTheLoss();
    gap(8, 5, GapReason.GAP_REASON_EPOCH_CHANGED);
    batch(5, 9, got(7, 3, "c"), got(9, 4, "d"));
    assertThat(violations(false, false)).anyMatch(one -> one.contains("told of a gap"));
  }

  @Test
  void aLossThatNobodyWasToldOfIsFound() {
    beforeTheLoss();
    batch(8, 9, got(9, 4, "d"));
    assertThat(violations(false, true))
        .anyMatch(one -> one.contains("was not told so") && one.contains("id=x"))
        .anyMatch(one -> one.contains("was not told so") && one.contains("id=y"))
        .anyMatch(one -> one.contains("never saw") && one.contains("id=c"));
  }

  @Test
  void aLossThatIsToldTooNarrowIsFound() {
    beforeTheLoss();
    gap(8, 6, GapReason.GAP_REASON_EPOCH_CHANGED);
    batch(6, 9, got(7, 3, "c"), got(9, 4, "d"));
    assertThat(violations(false, true))
        .anyMatch(one -> one.contains("was not told so") && one.contains("id=x"));
  }

  @Test
  void aLossThatIsToldTooWideIsFound() {
    beforeTheLoss();
    gap(8, 4, GapReason.GAP_REASON_EPOCH_CHANGED);
    batch(4, 9, got(5, 2, "b"), got(7, 3, "c"), got(9, 4, "d"));
    assertThat(violations(false, true))
        .anyMatch(one -> one.contains("again, which it was told to be lost"))
        .anyMatch(one -> one.contains("lost, which it is not"));
  }

  @Test
  void aLossThatIsToldTooWideAndReadOnBehindIsFound() {
    beforeTheLoss();
    gap(8, 4, GapReason.GAP_REASON_EPOCH_CHANGED);
    batch(5, 9, got(7, 3, "c"), got(9, 4, "d"));
    assertThat(violations(false, true))
        .anyMatch(one -> one.contains("from 5 after 4"))
        .anyMatch(one -> one.contains("lost, which it is not") && one.contains("id=b"));
  }

  @Test
  void aLossOfNothingIsFound() {
    batch(0, 5, got(2, 1, "a"), got(5, 2, "b"));
    gap(5, 5, GapReason.GAP_REASON_EPOCH_CHANGED);
    batch(5, 9, got(7, 3, "c"), got(9, 4, "d"));
    assertThat(violations(false, true)).singleElement().asString().contains("loss of nothing");
  }

  @Test
  void anEventThatWasLostAndPublishedAgainAtItsPlaceIsAnotherOne() {
    batch(0, 5, got(2, 1, "a"), got(5, 2, "b"));
    Seen.Got former = new Seen.Got(log.get(2).event(), "", 7, 3, 1);
    batch(5, 7, former);
    gap(7, 5, GapReason.GAP_REASON_EPOCH_CHANGED);
    batch(5, 9, got(7, 3, "c"), got(9, 4, "d"));
    assertThat(violations(false, true)).isEmpty();
  }

  // What is too slow and wants it so passes over what has left the memory.

  @Test
  void aGapPassesOnlyWhereOneIsWanted() {
    batch(0, 2, got(2, 1, "a"));
    gap(2, 7, GapReason.GAP_REASON_SLOW_READER);
    batch(7, 9, got(9, 4, "d"));
    assertThat(violations(true, false)).isEmpty();
    assertThat(violations(false, false)).anyMatch(one -> one.contains("told of a gap"));
  }

  @Test
  void aGapThatIsToldTooNarrowIsFound() {
    batch(0, 2, got(2, 1, "a"));
    gap(2, 6, GapReason.GAP_REASON_SLOW_READER);
    batch(7, 9, got(9, 4, "d"));
    assertThat(violations(true, false))
        .anyMatch(one -> one.contains("from 7 after 6"))
        .anyMatch(one -> one.contains("never saw") && one.contains("id=c"));
  }

  @Test
  void aGapThatIsToldTooWideIsFound() {
    batch(0, 2, got(2, 1, "a"));
    gap(2, 8, GapReason.GAP_REASON_SLOW_READER);
    batch(5, 9, got(7, 3, "c"), got(9, 4, "d"));
    assertThat(violations(true, false)).singleElement().asString().contains("from 5 after 8");
  }

  @Test
  void aGapThatBeginsBehindWhatItDoesNotCoverIsFound() {
    batch(0, 2, got(2, 1, "a"));
    gap(6, 7, GapReason.GAP_REASON_SLOW_READER);
    batch(7, 9, got(9, 4, "d"));
    assertThat(violations(true, false))
        .singleElement()
        .asString()
        .contains("never saw")
        .contains("id=b");
  }

  @Test
  void aGapThatBeginsBeforeWhatWasReadIsFound() {
    batch(0, 5, got(2, 1, "a"), got(5, 2, "b"));
    gap(2, 7, GapReason.GAP_REASON_SLOW_READER);
    batch(7, 9, got(9, 4, "d"));
    assertThat(violations(true, false)).singleElement().asString().contains("from 2 after 5");
  }

  @Test
  void aGapThatCountsWrongIsFound() {
    batch(0, 2, got(2, 1, "a"));
    history.add(missing(2, 7, 4, GapReason.GAP_REASON_SLOW_READER));
    batch(7, 9, got(9, 4, "d"));
    assertThat(violations(true, false)).singleElement().asString().contains("gap that is none");
  }

  private void beforeTheLoss() {
    batch(0, 5, got(2, 1, "a"), got(5, 2, "b"));
    batch(5, 8, got(6, 3, "x"), got(8, 4, "y"));
  }

  private List<String> violations() {
    return violations(false, false);
  }

  private List<String> violations(boolean mayDrop, boolean mayLose) {
    return new SubscriptionCheck("reader", mayDrop, mayLose, trims, startedNanos)
        .violations(history, log, event -> true, topic -> 0);
  }

  private boolean sawOnly() {
    return new SubscriptionCheck("reader", false, true, trims, startedNanos)
        .sawOnly(log, history, topic -> 0);
  }

  private List<String> violationsOfALateReader() {
    return new SubscriptionCheck("reader", false, false, trims, System.nanoTime())
        .violations(history, log, event -> true, topic -> 0);
  }

  /** What is compared by the clock must not be one moment. */
  private static void awaitLater() {
    long now = System.nanoTime();
    while (System.nanoTime() - now <= 0) {
      Thread.onSpinWait();
    }
  }

  private void batch(long from, long to, Seen.Got... events) {
    history.add(new Seen.Batch(0, false, from, to, List.of(events)));
  }

  private void gap(long from, long to, GapReason reason) {
    history.add(missing(from, to, Math.max(0, to - from), reason));
  }

  private static Seen.Missing missing(long from, long to, long missed, GapReason reason) {
    return new Seen.Missing(0, false, from, to, missed, reason, System.nanoTime());
  }

  private static Seen.Got got(long position, long topicPosition, String id) {
    return new Seen.Got(
        new EventName("topic", "publisher", id), "", position, topicPosition, position * 1000);
  }
}
