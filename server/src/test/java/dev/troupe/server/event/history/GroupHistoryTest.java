package dev.troupe.server.event.history;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.util.Timestamps;
import dev.troupe.v1.Event;
import dev.troupe.v1.EventDelivery;
import dev.troupe.v1.GroupDelivery;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What the check of a group has to find: each test changes one thing of what its members got. */
final class GroupHistoryTest {

  private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

  private final GroupHistory history = new GroupHistory();

  @Test
  void eachOnceAndAcknowledgedPasses() {
    delivered("a", 1, 1, 100);
    done("a");
    delivered("b", 2, 1, 101);
    done("b");
    assertThat(violations(true)).isEmpty();
  }

  @Test
  void anEventThatTheGroupSkippedIsFound() {
    delivered("a", 1, 1, 100);
    done("a");
    assertThat(violations(false)).singleElement().asString().contains("never got");
  }

  @Test
  void aSecondDeliveryPassesOnlyWhenSomethingFailed() {
    delivered("a", 1, 1, 100);
    delivered("a2", 1, 2, 102);
    done("a2");
    delivered("b", 2, 1, 101);
    done("b");
    assertThat(violations(false)).isEmpty();
    assertThat(violations(true)).singleElement().asString().contains("2 times");
  }

  @Test
  void anEventThatNobodyAcknowledgedIsFoundWhenNothingFailed() {
    delivered("a", 1, 1, 100);
    done("a");
    delivered("b", 2, 1, 101);
    assertThat(violations(true)).singleElement().asString().contains("not acknowledged");
  }

  @Test
  void aDeliveryAfterTheAcknowledgementIsFound() {
    delivered("a", 1, 1, 100);
    done("a");
    delivered("a2", 1, 2, 102);
    delivered("b", 2, 1, 101);
    done("b");
    assertThat(violations(false)).singleElement().asString().contains("was acknowledged");
  }

  @Test
  void aLateAcknowledgementThatWasTakenBesideAnotherIsFound() {
    delivered("a", 1, 1, 100);
    delivered("a2", 1, 2, 102);
    done("a2");
    done("a");
    delivered("b", 2, 1, 101);
    done("b");
    assertThat(violations(false)).singleElement().asString().contains("was acknowledged");
  }

  @Test
  void theSameDeliveryTwiceIsFound() {
    delivered("a", 1, 1, 100);
    delivered("a", 1, 1, 100);
    done("a");
    delivered("b", 2, 1, 101);
    done("b");
    assertThat(violations(false)).anyMatch(one -> one.contains("once more"));
  }

  @Test
  void aTokenThatDoesNotRiseIsFound() {
    delivered("a", 1, 1, 102);
    delivered("a2", 1, 2, 100);
    delivered("b", 2, 1, 101);
    done("b");
    assertThat(violations(false)).anyMatch(one -> one.contains("do not rise"));
  }

  @Test
  void aTokenThatTwoEventsHaveIsFound() {
    delivered("a", 1, 1, 100);
    done("a");
    delivered("b", 2, 1, 100);
    done("b");
    assertThat(violations(false)).singleElement().asString().contains("is that of");
  }

  @Test
  void anEventThatTheTopicDoesNotHaveIsFound() {
    delivered("a", 1, 1, 100);
    done("a");
    delivered("b", 2, 1, 101);
    done("b");
    delivered("c", 3, 1, 102);
    assertThat(violations(false)).singleElement().asString().contains("does not have");
  }

  @Test
  void eventsOfAKeyThatChangedPlacesAreFound() {
    delivered("b", 2, 1, 100);
    done("b");
    delivered("a", 1, 1, 101);
    done("a");
    assertThat(violations(false)).isEmpty();
    assertThat(history.violations(List.of(got(1), got(2)), false, true, List.of()))
        .singleElement()
        .asString()
        .contains("which has its key");
  }

  @Test
  void aCrashThatMayLoseExcusesTheDeliveryOfWhatWasAcknowledgedRightBefore() {
    delivered("a", 1, 1, 100);
    done("a");
    delivered("a2", 1, 2, 102);
    done("a2");
    delivered("b", 2, 1, 101);
    done("b");
    assertThat(violations(crashIn(1, true))).isEmpty();
    assertThat(violations(crashIn(10, true))).isNotEmpty();
    assertThat(violations(crashIn(1, false))).isNotEmpty();
  }

  @Test
  void aDeliveryThatACrashUndidMayBeSettledAfterIt() {
    assertThat(violationsAfterACrash(-1)).isEmpty();
  }

  @Test
  void aDeliveryAfterTheCrashIsNotExcusedByIt() {
    assertThat(violationsAfterACrash(2)).singleElement().asString().contains("was acknowledged");
  }

  /** Of an event that was delivered so long after a crash, and once more. */
  private List<String> violationsAfterACrash(int seconds) {
    long killed = System.nanoTime() - 5 * SECOND;
    RedisCrash crash = new RedisCrash(killed, killed + SECOND, true, Set.of(), Set.of());
    long token = TimeUnit.MILLISECONDS.toMicros(System.currentTimeMillis() + 1000L * (seconds - 5));
    delivered("a", 1, 1, token);
    delivered("a2", 1, 2, token + 1);
    done("a2");
    done("a");
    delivered("b", 2, 1, token + 2);
    done("b");
    return violations(crash);
  }

  private static RedisCrash crashIn(int seconds, boolean mayLose) {
    long killed = System.nanoTime() + seconds * SECOND;
    return new RedisCrash(killed, killed + SECOND, mayLose, Set.of(), Set.of());
  }

  private List<String> violations(boolean once) {
    return history.violations(List.of(got(1), got(2)), once, false, List.of());
  }

  private List<String> violations(RedisCrash crash) {
    return history.violations(List.of(got(1), got(2)), false, false, List.of(crash));
  }

  private void done(String delivery) {
    history.acknowledged(delivery);
  }

  private void delivered(String id, int number, int attempt, long token) {
    history.delivered(
        "member",
        GroupDelivery.newBuilder()
            .setDeliveryId(id)
            .setEvent(delivery(number))
            .setAttempt(attempt)
            .setFencingToken(token)
            .build());
  }

  private static Seen.Got got(int number) {
    return Seen.Got.of(delivery(number));
  }

  private static EventDelivery delivery(int number) {
    return EventDelivery.newBuilder()
        .setTopic("topic")
        .setEvent(Event.newBuilder().setSource("p").setId("" + number).setKey("key"))
        .setPosition(10 + number)
        .setTopicPosition(number)
        .setAcceptTime(Timestamps.fromMillis(1000 + number))
        .build();
  }
}
