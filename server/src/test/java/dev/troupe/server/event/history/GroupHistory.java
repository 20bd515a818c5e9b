package dev.troupe.server.event.history;

import dev.troupe.v1.EventDelivery;
import dev.troupe.v1.GroupDelivery;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What the members of one group got and acknowledged. Thread-safe. */
final class GroupHistory {

  private final Map<String, Seen.Event> deliveries = new HashMap<>();
  private final Map<Seen.Event, Integer> times = new HashMap<>();
  private final Map<Seen.Event, Set<String>> acknowledged = new HashMap<>();
  private final Map<Long, Long> tokens = new HashMap<>();
  private final List<String> violations = new ArrayList<>();

  synchronized void delivered(String member, GroupDelivery delivery) {
    EventDelivery one = delivery.getEvent();
    Seen.Event event =
        new Seen.Event(one.getTopic(), one.getEvent().getSource(), one.getEvent().getId());
    if (deliveries.put(delivery.getDeliveryId(), event) != null) {
      violations.add(member + " got the delivery " + delivery.getDeliveryId() + " once more");
    }
    times.merge(event, 1, Integer::sum);
    Long token = tokens.put(one.getTopicPosition(), delivery.getFencingToken());
    if (token != null && token >= delivery.getFencingToken()) {
      violations.add("the token of " + event + " did not rise: " + token);
    }
  }

  synchronized void acknowledged(String deliveryId) {
    Seen.Event event = deliveries.get(deliveryId);
    if (event != null) {
      acknowledged.computeIfAbsent(event, key -> new HashSet<>()).add(deliveryId);
    }
  }

  synchronized int delivered() {
    return times.size();
  }

  /**
   * What is wrong.
   *
   * @param accepted what the group had to get
   * @param once whether nothing failed, so that each has to come exactly once
   */
  synchronized List<String> violations(Collection<Seen.Event> accepted, boolean once) {
    List<String> all = new ArrayList<>(violations);
    for (Seen.Event event : accepted) {
      int count = times.getOrDefault(event, 0);
      if (count == 0) {
        all.add("the group never got " + event);
      } else if (once && count > 1) {
        all.add("the group got " + event + " " + count + " times, though nothing failed");
      }
      int acks = acknowledged.getOrDefault(event, Set.of()).size();
      if (acks > 1) {
        all.add(event + " was acknowledged by " + acks + " deliveries");
      } else if (once && acks == 0) {
        all.add(event + " was not acknowledged, though nothing failed");
      }
    }
    return all;
  }
}
