package dev.troupe.server.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.common.base.Ticker;
import dev.troupe.server.event.GroupTake.Member;
import dev.troupe.server.redis.TestRedis;
import dev.troupe.v1.CreateGroupRequest;
import dev.troupe.v1.Event;
import dev.troupe.v1.GroupDelivery;
import dev.troupe.v1.GroupStart;
import dev.troupe.v1.PublishRequest;
import dev.troupe.v1.StartPosition;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * What a dispatcher owes its members when one of them fails, or has room a moment after it was
 * asked. It has no timers here, so that nothing is made up for by the next look a second later.
 */
@SuppressWarnings("NullAway.Init")
final class GroupDispatcherTest {

  private static final String TOPIC = "t";
  private static final String GROUP = "g";

  private final String namespace = "t" + UUID.randomUUID();
  private final ScheduledExecutorService noTimers = Executors.newSingleThreadScheduledExecutor();
  private TestRedis redis;
  private EventHarness harness;
  private GroupStore store;
  private GroupDispatcher dispatcher;

  @BeforeEach
  void createAGroup() throws Exception {
    redis = TestRedis.single();
    harness = new EventHarness(redis, Duration.ofMinutes(1), Duration.ofMinutes(1));
    harness.blocking.createGroup(
        CreateGroupRequest.newBuilder()
            .setNamespace(namespace)
            .setTopic(TOPIC)
            .setGroup(GROUP)
            .setStart(GroupStart.newBuilder().setPosition(StartPosition.START_POSITION_BEGINNING))
            .build());
    noTimers.shutdown();
    store = new GroupStore(redis, EventHarness.NAMESPACES);
    dispatcher = new GroupDispatcher(store, group(), noTimers, Ticker.systemTicker());
  }

  @AfterEach
  void stop() throws Exception {
    harness.close();
    redis.close();
  }

  @Test
  void aMemberThatFailsDoesNotKeepTheOthersFromTheirEvents() {
    publish(20);
    Taker broken =
        new Taker("broken", 1) {
          @Override
          public void give(int reserved, List<GroupDelivery> deliveries) {
            throw new IllegalStateException("call is closed");
          }
        };
    Taker sound = new Taker("sound", 20);
    enter(broken);
    enter(sound);
    // One is in flight to the member that failed, until its deadline.
    await().untilAsserted(() -> assertThat(sound.got()).hasSize(19));
  }

  @Test
  void roomThatComesJustAfterAMemberWasAskedIsNotForgotten() {
    publish(1);
    Taker late =
        new Taker("late", 0) {
          private boolean asked;

          @Override
          public int free() {
            int free = super.free();
            if (!asked) {
              asked = true;
              // As on another thread, between the question and the round.
              allow(1);
              dispatcher.offer();
            }
            return free;
          }
        };
    enter(late);
    await().untilAsserted(() -> assertThat(late.got()).hasSize(1));
  }

  private GroupId group() {
    return store.locate(namespace, TOPIC, GROUP).toCompletableFuture().join();
  }

  private void enter(Taker taker) {
    GroupStore.Joined joined = store.join(group(), taker.id).toCompletableFuture().join();
    taker.session = joined.session();
    dispatcher.enter(taker, joined.version(), joined.settings());
  }

  private void publish(int events) {
    for (int i = 0; i < events; i++) {
      harness.blocking.publish(
          PublishRequest.newBuilder()
              .setNamespace(namespace)
              .setTopic(TOPIC)
              .setEvent(Event.newBuilder().setType("y").setTextData("" + i))
              .build());
    }
  }

  private static class Taker implements GroupTaker {

    private final String id;
    private final List<GroupDelivery> got = new ArrayList<>();
    private long session;
    private int credits;

    Taker(String id, int credits) {
      this.id = id;
      this.credits = credits;
    }

    synchronized void allow(int more) {
      credits += more;
    }

    synchronized List<GroupDelivery> got() {
      return List.copyOf(got);
    }

    @Override
    public Member member() {
      return new Member(id, session);
    }

    @Override
    public synchronized int free() {
      return credits;
    }

    @Override
    public synchronized int outstanding() {
      return got.size();
    }

    @Override
    public synchronized int reserve(int most) {
      int count = Math.min(most, credits);
      credits -= count;
      return count;
    }

    @Override
    public synchronized void give(int reserved, List<GroupDelivery> deliveries) {
      credits += reserved - deliveries.size();
      got.addAll(deliveries);
    }

    @Override
    public void replaced() {
      throw new AssertionError("replaced");
    }

    @Override
    public void fail(Throwable failure) {
      throw new AssertionError(failure);
    }
  }
}
