package dev.troupe.server.event.history;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What publishers asked for, and what they were told. Thread-safe. */
final class Published {

  /**
   * An event that was accepted.
   *
   * @param number of its publisher, which tries one only after all before it were accepted
   * @param firstTriedNanos before it was tried first
   * @param triedNanos before the try that was answered
   */
  record Accepted(
      EventName event, int number, long firstTriedNanos, long triedNanos, long answeredNanos) {}

  private final Map<EventName, Long> tried = new HashMap<>();
  private final List<Accepted> accepted = new ArrayList<>();

  synchronized void tried(EventName event) {
    tried.putIfAbsent(event, System.nanoTime());
  }

  synchronized void accepted(EventName event, int number, long triedNanos) {
    accepted.add(
        new Accepted(
            event, number, tried.getOrDefault(event, triedNanos), triedNanos, System.nanoTime()));
  }

  synchronized boolean wasTried(EventName event) {
    return tried.containsKey(event);
  }

  synchronized List<Accepted> accepted() {
    return List.copyOf(accepted);
  }
}
