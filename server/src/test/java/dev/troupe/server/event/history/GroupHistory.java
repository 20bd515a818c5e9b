package dev.troupe.server.event.history;

import dev.troupe.v1.GroupDelivery;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/** What the members of one group got and acknowledged. Thread-safe. */
final class GroupHistory {

  private static final long BETWEEN_CLOCKS_NANOS =
      TimeUnit.MILLISECONDS.toNanos(System.currentTimeMillis()) - System.nanoTime();

  private final Map<String, Delivery> deliveries = new HashMap<>();
  private final Map<Seen.Got, List<Delivery>> ofEvent = new HashMap<>();
  private final Map<Long, Long> tokens = new HashMap<>();
  private final List<String> violations = new ArrayList<>();
  private final Map<String, Long> doneNanos = new HashMap<>();

  /** One delivery, and how many were recorded before it. */
  private record Delivery(String id, Seen.Got event, int attempt, long token, int before) {

    /** Tokens are times by the clock of Redis, which is that of this machine. */
    long deliveredNanos() {
      return TimeUnit.MICROSECONDS.toNanos(token) - BETWEEN_CLOCKS_NANOS;
    }
  }

  synchronized void delivered(String member, GroupDelivery delivery) {
    Seen.Got event = Seen.Got.of(delivery.getEvent());
    Delivery one =
        new Delivery(
            delivery.getDeliveryId(),
            event,
            delivery.getAttempt(),
            delivery.getFencingToken(),
            deliveries.size());
    if (deliveries.put(one.id, one) != null) {
      violations.add(member + " got the delivery " + one.id + " once more");
    }
    ofEvent.computeIfAbsent(event, any -> new ArrayList<>()).add(one);
    Long token = tokens.put(one.token, event.topicPosition());
    if (token != null) {
      violations.add("the token of " + event + " is that of topic position " + token);
    }
  }

  /** A member was told that its acknowledgement was taken. */
  synchronized void acknowledged(String deliveryId) {
    doneNanos.put(deliveryId, System.nanoTime());
  }

  /**
   * What is wrong.
   *
   * @param topic what the topic has at the end, from the oldest to the newest
   * @param once whether nothing failed, so that each has to come exactly once
   * @param ordered whether events of one key have to come one after the other
   * @param crashes which may have undone acknowledgements, and lost events
   */
  synchronized List<String> violations(
      Collection<Seen.Got> topic, boolean once, boolean ordered, List<RedisCrash> crashes) {
    List<String> all = new ArrayList<>(violations);
    boolean lossy = crashes.stream().anyMatch(RedisCrash::mayLose);
    Map<String, Delivery> lastOfKey = new HashMap<>();
    for (Seen.Got event : topic) {
      List<Delivery> of = ofEvent.getOrDefault(event, List.of());
      if (of.isEmpty()) {
        all.add("the group never got " + event);
        continue;
      }
      if (once && of.size() > 1) {
        all.add("the group got " + event + " " + of.size() + " times, though nothing failed");
      }
      if (once && of.stream().noneMatch(one -> doneNanos.containsKey(one.id))) {
        all.add(event + " was not acknowledged, though nothing failed");
      }
      acknowledgedLast(event, of, crashes, all);
      if (!lossy) {
        tokensRise(event, of, all);
      }
      Delivery first = of.get(0);
      boolean inOrder = ordered && !lossy && !event.key().isEmpty();
      Delivery former = inOrder ? lastOfKey.put(event.key(), first) : null;
      if (former != null && former.before > first.before) {
        all.add("the group got " + event + " before " + former.event + ", which has its key");
      }
    }
    if (!lossy) {
      Set<Seen.Got> there = new HashSet<>(topic);
      ofEvent.keySet().stream()
          .filter(event -> !there.contains(event))
          .forEach(event -> all.add("the group got " + event + ", which the topic does not have"));
    }
    return all;
  }

  private static void tokensRise(Seen.Got event, List<Delivery> of, List<String> all) {
    for (Delivery one : of) {
      if (of.stream().anyMatch(other -> other.attempt > one.attempt && other.token < one.token)
          || of.stream().anyMatch(other -> other != one && other.attempt == one.attempt)) {
        all.add("the tokens of " + event + " do not rise: " + of);
      }
    }
  }

  /** After an acknowledgement that counts, and is not undone, an event is not delivered again. */
  private void acknowledgedLast(
      Seen.Got event, List<Delivery> of, List<RedisCrash> crashes, List<String> all) {
    for (Delivery one : of) {
      Long done = doneNanos.get(one.id);
      boolean counts =
          done != null
              && crashes.stream().noneMatch(crash -> crash.mayUndo(one.deliveredNanos(), done));
      if (counts && of.stream().anyMatch(other -> other.token > one.token)) {
        all.add(
            String.format(
                "the group got %s again after the delivery %s was acknowledged: %s",
                event, one.id, of));
      }
    }
  }
}
