package dev.troupe.server.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.troupe.v1.Event;
import dev.troupe.v1.Group;
import dev.troupe.v1.GroupDelivery;
import dev.troupe.v1.GroupSettings;
import dev.troupe.v1.Nack;
import dev.troupe.v1.SettleOutcome;
import dev.troupe.v1.Settlement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** Many members over two servers, at random. */
interface GroupLoadContract extends GroupContract {

  /** What all members saw, in the order in which they settled. */
  final class Seen {
    final Map<String, Integer> acknowledged = new HashMap<>();
    final Map<String, Integer> lastOfKey = new HashMap<>();
    final List<String> wrong = new ArrayList<>();

    synchronized void begin(Event event, Map<String, String> busy) {
      String other = busy.putIfAbsent(event.getKey(), event.getId());
      if (other != null) {
        wrong.add(event.getId() + " while " + other + " is in flight");
      }
    }

    synchronized void acknowledge(Event event) {
      acknowledged.merge(event.getId(), 1, Integer::sum);
      int number = Integer.parseInt(event.getId().substring(event.getId().indexOf('-') + 1));
      Integer last = lastOfKey.put(event.getKey(), number);
      if (last != null && last >= number) {
        wrong.add(event.getId() + " after " + last);
      }
    }
  }

  @Test
  default void eachEventIsAcknowledgedOnceAndTheOrderOfKeysIsKept() throws Exception {
    long seed = java.lang.System.nanoTime();
    Random random = new Random(seed);
    groups().create(GroupSettings.newBuilder().setOrderedByKey(true).setMaxDeliveries(1000));
    int events = 800;
    Seen seen = new Seen();
    Map<String, String> busy = new ConcurrentHashMap<>();
    AtomicBoolean over = new AtomicBoolean();
    List<Thread> threads = new ArrayList<>();
    for (int m = 0; m < 6; m++) {
      int number = m;
      long own = random.nextLong();
      Thread thread = new Thread(() -> member(number, new Random(own), seen, busy, over), "m" + m);
      thread.start();
      threads.add(thread);
    }
    int[] next = new int[20];
    for (int i = 0; i < events; i++) {
      int key = random.nextInt(next.length);
      groups()
          .publish(
              GroupHarness.TOPIC,
              Event.newBuilder().setId(key + "-" + next[key]++).setType("t").setKey("k" + key));
    }
    try {
      await()
          .atMost(Duration.ofSeconds(90))
          .pollInterval(Duration.ofMillis(200))
          .until(() -> groups().get().getAcknowledgedCount() >= events || !seen.wrong.isEmpty());
    } finally {
      over.set(true);
      for (Thread thread : threads) {
        thread.join();
      }
    }
    assertThat(seen.wrong).as("seed %s", seed).isEmpty();
    assertThat(seen.acknowledged).as("seed %s", seed).hasSize(events);
    assertThat(seen.acknowledged.values()).as("seed %s", seed).containsOnly(1);
    Group group = groups().get();
    assertThat(group.getAcknowledgedCount()).isEqualTo(events);
    assertThat(group.getOutstanding() + group.getWaiting() + group.getLag()).isZero();
    assertThat(group.getDeadCount()).isZero();
  }

  /** Takes, gives some back, acknowledges the others, one at a time or many. */
  private void member(
      int number, Random random, Seen seen, Map<String, String> busy, AtomicBoolean over) {
    try (GroupMemberDouble member =
        groups()
            .join(
                number % 2 == 0 ? groups().channelA() : groups().channelB(),
                "m" + number,
                1 + random.nextInt(8))) {
      while (!over.get()) {
        List<GroupDelivery> some = member.poll(Duration.ofMillis(50));
        if (some.isEmpty()) {
          continue;
        }
        Settlement.Builder settlement = Settlement.newBuilder();
        List<Event> kept = new ArrayList<>();
        for (GroupDelivery one : some) {
          seen.begin(one.getEvent().getEvent(), busy);
        }
        for (GroupDelivery one : some) {
          Event event = one.getEvent().getEvent();
          if (random.nextInt(10) == 0) {
            settlement.addNack(Nack.newBuilder().setDeliveryId(one.getDeliveryId()));
          } else {
            settlement.addAck(one.getDeliveryId());
            kept.add(event);
          }
          // Before it is settled: then the next of its key may come to another member.
          busy.remove(event.getKey(), event.getId());
        }
        kept.forEach(seen::acknowledge);
        for (SettleOutcome outcome : member.settle(settlement)) {
          if (outcome != SettleOutcome.SETTLE_OUTCOME_DONE) {
            seen.wrong.add("member " + number + ": " + outcome);
          }
        }
      }
    }
  }
}
