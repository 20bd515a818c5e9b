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
 * Compares what a subscription saw with what topics have at the end.
 *
 * <p>Per partition it reads on, never back, except when it is told that the log lost its end: then
 * what it saw beyond is undone, and all of that is lost indeed. What it saw and was not undone,
 * with the gaps that it was told of, is what topics have exactly: each event once, in order. It is
 * told of a gap only where the log was trimmed by then, or where it wanted so.
 */
final class SubscriptionCheck {

  private final String name;
  private final boolean mayDrop;
  private final boolean mayLose;
  private final Trims trims;
  private final long startedNanos;
  private final List<String> violations = new ArrayList<>();
  private final Map<Integer, Reading> partitions = new HashMap<>();
  private final Set<EventName> inView = new HashSet<>();
  private final Set<Seen.Got> undone = new HashSet<>();

  /** A partition as the subscription knows it. */
  private static final class Reading {
    final NavigableMap<Long, Seen.Got> view = new TreeMap<>();
    final NavigableMap<Long, Long> gaps = new TreeMap<>();
    final long began;
    long read;

    Reading(long began) {
      this.began = began;
    }

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
   * @param trims what it cannot read any more; nothing where that is kept elsewhere for it
   * @param startedNanos when it knew where it begins
   */
  SubscriptionCheck(String name, boolean mayDrop, boolean mayLose, Trims trims, long startedNanos) {
    this.name = name;
    this.mayDrop = mayDrop;
    this.mayLose = mayLose;
    this.trims = trims;
    this.startedNanos = startedNanos;
  }

  /**
   * Looks at everything that it saw.
   *
   * @param all what all topics have at the end
   * @param wanted which events it wants
   * @param home the partition of a topic
   */
  List<String> violations(
      List<Seen> history,
      Collection<Seen.Got> all,
      Predicate<Seen.Got> wanted,
      ToIntFunction<String> home) {
    read(history, home);
    compare(all, wanted, home);
    return violations;
  }

  /** Whether it saw these events, or was told that they are missing. */
  boolean accountsFor(Collection<Seen.Got> events, List<Seen> history, ToIntFunction<String> home) {
    read(history, home);
    Set<Seen.Got> view = view();
    return events.stream()
        .allMatch(
            event ->
                view.contains(event) || mayMiss(event, home.applyAsInt(event.event().topic())));
  }

  /** Whether all that it saw and was not told to be lost is among these events. */
  boolean sawOnly(Collection<Seen.Got> all, List<Seen> history, ToIntFunction<String> home) {
    read(history, home);
    return new HashSet<>(all).containsAll(view());
  }

  private void read(List<Seen> history, ToIntFunction<String> home) {
    for (Seen seen : history) {
      Reading reading =
          partitions.computeIfAbsent(seen.partition(), any -> new Reading(seen.from()));
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
    } else if (isPassedOver(missing) || isTrimmed(missing)) {
      if (missing.to() <= missing.from() || missing.missed() != missing.to() - missing.from()) {
        say("was told of a gap that is none: %s", missing);
      }
      reading.gaps.put(missing.from(), missing.to());
    } else {
      say("was told of a gap: %s", missing);
    }
    reading.read = missing.to();
  }

  private boolean isPassedOver(Seen.Missing missing) {
    return mayDrop && missing.reason() == GapReason.GAP_REASON_SLOW_READER;
  }

  private boolean isTrimmed(Seen.Missing missing) {
    return missing.reason() == GapReason.GAP_REASON_TRIMMED
        && missing.to() <= trims.atMostUpTo(missing.partition(), missing.heardNanos());
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
      Collection<Seen.Got> all, Predicate<Seen.Got> wanted, ToIntFunction<String> home) {
    Set<Seen.Got> view = view();
    Set<Seen.Got> whole = new HashSet<>(all);
    for (Seen.Got event : all) {
      if (wanted.test(event)
          && !view.contains(event)
          && !mayMiss(event, home.applyAsInt(event.event().topic()))) {
        say("never saw %s", event);
      }
    }
    for (Seen.Got event : view) {
      if (!wanted.test(event)) {
        say("saw %s, which it does not want", event);
      }
      if (!whole.contains(event)) {
        say("saw %s, which its topic does not have, and was not told so", event);
      }
    }
    for (Seen.Got event : undone) {
      if (whole.contains(event)) {
        say("was told that %s is lost, which it is not", event);
      }
    }
  }

  private Set<Seen.Got> view() {
    Set<Seen.Got> view = new HashSet<>();
    partitions.values().forEach(reading -> view.addAll(reading.view.values()));
    return view;
  }

  /** Whether it was told that the event is missing, or began when that was trimmed. */
  private boolean mayMiss(Seen.Got event, int partition) {
    Reading reading = partitions.get(partition);
    boolean mayBeginBehind = event.position() <= trims.atMostUpTo(partition, startedNanos);
    return reading == null
        ? mayBeginBehind
        : reading.passedOver(event.position())
            || (mayBeginBehind && event.position() <= reading.began);
  }

  private void say(String what, Object... about) {
    violations.add(name + " " + String.format(what, about));
  }
}
