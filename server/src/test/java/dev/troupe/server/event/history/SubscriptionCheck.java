package dev.troupe.server.event.history;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Compares what a subscription from the beginning saw with what was published.
 *
 * <p>Per partition it reads on, never back; per topic it sees each event once, in order and without
 * a hole, except where it was told of one; and of what it wants it misses nothing that a publisher
 * was told to be accepted.
 */
final class SubscriptionCheck {

  private final String name;
  private final List<String> violations = new ArrayList<>();
  private final Map<Integer, Long> read = new HashMap<>();
  private final Map<String, Long> topicPositions = new HashMap<>();
  private final Set<Seen.Event> got = new HashSet<>();
  private final Set<Integer> holes = new HashSet<>();

  SubscriptionCheck(String name) {
    this.name = name;
  }

  /**
   * Looks at everything that it saw.
   *
   * @param wholeTopics whether it wants all events of its topics
   * @param wanted of what was accepted, what it wants
   * @param mayMiss whether the log may lose what was accepted, if it says so
   */
  List<String> violations(
      List<Seen> history,
      boolean wholeTopics,
      Collection<Seen.Event> accepted,
      Predicate<Seen.Event> wanted,
      boolean mayMiss) {
    for (Seen seen : history) {
      if (seen instanceof Seen.Batch batch) {
        batch(batch, wholeTopics);
      } else if (seen instanceof Seen.Missing missing) {
        missing(missing, mayMiss);
      }
    }
    if (holes.isEmpty()) {
      for (Seen.Event event : accepted) {
        if (wanted.test(event) && !got.contains(event)) {
          say("never saw %s, which was accepted", event);
        }
      }
    }
    for (Seen.Event event : got) {
      if (!wanted.test(event)) {
        say("saw %s, which it does not want", event);
      }
    }
    return violations;
  }

  private void batch(Seen.Batch batch, boolean wholeTopics) {
    long before = read.getOrDefault(batch.partition(), 0L);
    boolean goesOn = batch.resumed() ? batch.previous() >= before : batch.previous() == before;
    if (!goesOn && !holes.contains(batch.partition())) {
      say("read partition %d from %d after %d", batch.partition(), batch.previous(), before);
    }
    long position = batch.previous();
    for (Seen.Got event : batch.events()) {
      if (event.position() <= position || event.position() > batch.read()) {
        say("%s is out of place in %s", event, batch);
      }
      position = event.position();
      event(event, wholeTopics, holes.contains(batch.partition()));
    }
    read.put(batch.partition(), batch.read());
  }

  private void event(Seen.Got event, boolean wholeTopics, boolean afterHole) {
    if (!got.add(event.event())) {
      say("saw %s twice", event);
    }
    long last = topicPositions.getOrDefault(event.topic(), 0L);
    boolean next = wholeTopics ? event.topicPosition() == last + 1 : event.topicPosition() > last;
    if (!next && !afterHole) {
      say("saw %s after position %d of its topic", event, last);
    }
    topicPositions.put(event.topic(), event.topicPosition());
  }

  private void missing(Seen.Missing missing, boolean mayMiss) {
    if (!mayMiss) {
      say("was told of a hole: %s", missing);
    }
    holes.add(missing.partition());
  }

  private void say(String what, Object... about) {
    violations.add(name + " " + String.format(what, about));
  }
}
