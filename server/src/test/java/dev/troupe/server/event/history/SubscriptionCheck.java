package dev.troupe.server.event.history;

import dev.troupe.v1.GapReason;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.function.ToIntFunction;

/**
 * Compares what a subscription from the beginning saw with the log as it is at the end.
 *
 * <p>Per partition it reads on, never back, except when it is told that the log lost its end: then
 * what it saw beyond is undone, and all of that is lost indeed. What it saw and was not undone,
 * with the gaps that it was told of, is the log exactly: each event once, in order.
 */
final class SubscriptionCheck {

  private final String name;
  private final boolean mayDrop;
  private final boolean mayLose;
  private final List<String> violations = new ArrayList<>();
  private final Map<Integer, Reading> partitions = new HashMap<>();
  private final Set<EventName> inView = new HashSet<>();
  private final Set<Seen.Got> undone = new HashSet<>();

  /** A partition as the subscription knows it. */
  private static final class Reading {
    final NavigableMap<Long, Seen.Got> view = new TreeMap<>();
    final NavigableMap<Long, Long> gaps = new TreeMap<>();
    long read;

    boolean passedOver(long position) {
      Map.Entry<Long, Long> gap = gaps.lowerEntry(position);
      return gap != null && position <= gap.getValue();
    }
  }

  /**
   * A check of one subscription.
   *
   * @param mayDrop whether it wants to pass over what it is too slow for
   * @param mayLose whether the log may lose its end
   */
  SubscriptionCheck(String name, boolean mayDrop, boolean mayLose) {
    this.name = name;
    this.mayDrop = mayDrop;
    this.mayLose = mayLose;
  }

  /**
   * Looks at everything that it saw.
   *
   * @param log what all topics have at the end
   * @param wanted which events it wants
   * @param home the partition of a topic
   */
  List<String> violations(
      List<Seen> history,
      Collection<Seen.Got> log,
      Predicate<EventName> wanted,
      ToIntFunction<String> home) {
    for (Seen seen : history) {
      Reading reading = partitions.computeIfAbsent(seen.partition(), any -> new Reading());
      // Before a gap it may have read what did not match, and not have told so.
      boolean mayLeap = seen.resumed() || seen instanceof Seen.Missing;
      boolean goesOn = mayLeap ? seen.from() >= reading.read : seen.from() == reading.read;
      if (!goesOn) {
        say("read partition %d from %d after %d", seen.partition(), seen.from(), reading.read);
      }
      if (seen instanceof Seen.Batch batch) {
        batch(reading, batch, home);
      } else if (seen instanceof Seen.Missing missing) {
        missing(reading, missing);
      }
    }
    compare(log, wanted, home);
    return violations;
  }

  private void batch(Reading reading, Seen.Batch batch, ToIntFunction<String> home) {
    long position = batch.from();
    for (Seen.Got event : batch.events()) {
      if (event.position() <= position || event.position() > batch.to()) {
        say("%s is out of place in %s", event, batch);
      }
      if (home.applyAsInt(event.event().topic()) != batch.partition()) {
        say("%s is from partition %d", event, batch.partition());
      }
      position = event.position();
      event(reading, event);
    }
    reading.read = batch.to();
  }

  private void event(Reading reading, Seen.Got event) {
    if (!inView.add(event.event())) {
      say("saw %s twice", event);
    }
    if (undone.contains(event)) {
      say("saw %s again, which it was told to be lost", event);
    }
    for (Seen.Got before : reading.view.descendingMap().values()) {
      if (before.event().topic().equals(event.event().topic())) {
        if (before.topicPosition() >= event.topicPosition()) {
          say("saw %s after %s", event, before);
        }
        break;
      }
    }
    reading.view.put(event.position(), event);
  }

  private void missing(Reading reading, Seen.Missing missing) {
    if (missing.reason() == GapReason.GAP_REASON_EPOCH_CHANGED && mayLose) {
      lost(reading, missing);
    } else if (missing.reason() == GapReason.GAP_REASON_SLOW_READER && mayDrop) {
      if (missing.to() <= missing.from() || missing.missed() != missing.to() - missing.from()) {
        say("was told of a gap that is none: %s", missing);
      }
      reading.gaps.put(missing.from(), missing.to());
    } else {
      say("was told of a gap: %s", missing);
    }
    reading.read = missing.to();
  }

  private void lost(Reading reading, Seen.Missing missing) {
    if (missing.to() >= missing.from()) {
      say("was told of a loss of nothing: %s", missing);
    }
    NavigableMap<Long, Seen.Got> end = reading.view.tailMap(missing.to(), false);
    end.values().forEach(event -> inView.remove(event.event()));
    undone.addAll(end.values());
    end.clear();
    reading.gaps.tailMap(missing.to(), true).clear();
    reading.gaps.replaceAll((from, to) -> Math.min(to, missing.to()));
  }

  private void compare(
      Collection<Seen.Got> log, Predicate<EventName> wanted, ToIntFunction<String> home) {
    Set<Seen.Got> view = new HashSet<>();
    partitions.values().forEach(reading -> view.addAll(reading.view.values()));
    Set<Seen.Got> whole = new HashSet<>(log);
    for (Seen.Got event : log) {
      if (wanted.test(event.event()) && !view.contains(event)) {
        Reading reading = partitions.get(home.applyAsInt(event.event().topic()));
        if (reading == null || !reading.passedOver(event.position())) {
          say("never saw %s", event);
        }
      }
    }
    for (Seen.Got event : view) {
      if (!wanted.test(event.event())) {
        say("saw %s, which it does not want", event);
      }
      if (!whole.contains(event)) {
        say("saw %s, which is not in the log, and was not told so", event);
      }
    }
    for (Seen.Got event : undone) {
      if (whole.contains(event)) {
        say("was told that %s is lost, which it is not", event);
      }
    }
  }

  private void say(String what, Object... about) {
    violations.add(name + " " + String.format(what, about));
  }
}
