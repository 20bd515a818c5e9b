package dev.troupe.server.event.history;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Compares what topics have at the end with what publishers were told.
 *
 * <p>What was accepted is there, once, unless a crash of Redis lost it: then it was among the last
 * that were written, and not there when Redis came back. Topics are counted without a hole, and
 * have the events of each publisher in the order in which it published them.
 */
final class LogCheck {

  private final Published published;
  private final List<RedisCrash> crashes;
  private final List<String> violations = new ArrayList<>();

  LogCheck(Published published, List<RedisCrash> crashes) {
    this.published = published;
    this.crashes = crashes;
  }

  /** What was accepted, and is not there. */
  static List<Published.Accepted> missing(Published published, List<Seen.Got> log) {
    Set<EventName> there = log.stream().map(Seen.Got::event).collect(Collectors.toSet());
    return published.accepted().stream().filter(one -> !there.contains(one.event())).toList();
  }

  /** What is wrong with what topics have, each from its oldest event to its newest. */
  List<String> violations(List<Seen.Got> log) {
    Map<String, Seen.Got> last = new HashMap<>();
    Set<EventName> there = new HashSet<>();
    for (Seen.Got event : log) {
      Seen.Got before = last.put(event.event().topic(), event);
      long place = before == null ? 0 : before.topicPosition();
      if (event.topicPosition() != place + 1
          || (before != null && event.position() <= before.position())) {
        violations.add("the topic has " + event + " after " + before);
      }
      if (!there.add(event.event())) {
        violations.add("the topic has " + event + " twice");
      }
      if (!published.wasTried(event.event())) {
        violations.add("nobody published " + event);
      }
    }
    for (Published.Accepted event : missing(published, log)) {
      if (!isExcused(event)) {
        violations.add("lost " + event + ", which was accepted");
      }
    }
    order(log);
    return violations;
  }

  /** Whether a crash can have taken it, and none that came later still had it. */
  private boolean isExcused(Published.Accepted event) {
    List<RedisCrash> since =
        crashes.stream().filter(crash -> event.triedNanos() - crash.backNanos() < 0).toList();
    return !since.isEmpty()
        && !since.get(since.size() - 1).kept().contains(event.event())
        && since.stream().anyMatch(crash -> crash.excuses(event));
  }

  private void order(List<Seen.Got> log) {
    Map<EventName, Long> places =
        log.stream().collect(Collectors.toMap(Seen.Got::event, Seen.Got::position, (a, b) -> a));
    Map<String, Published.Accepted> before = new HashMap<>();
    published.accepted().stream()
        .filter(one -> places.containsKey(one.event()) && !spansACrash(one))
        .sorted(Comparator.comparingInt(Published.Accepted::number))
        .forEach(
            one -> {
              String line = one.event().topic() + " of " + one.event().source() + life(one);
              Published.Accepted former = before.put(line, one);
              if (former != null && place(places, former) > place(places, one)) {
                violations.add("the topic has " + one.event() + " before " + former.event());
              }
            });
  }

  private static long place(Map<EventName, Long> places, Published.Accepted one) {
    return places.getOrDefault(one.event(), 0L);
  }

  /** One that was tried again after a loss may come behind others. */
  private boolean spansACrash(Published.Accepted one) {
    return crashes.stream()
        .anyMatch(
            crash ->
                crash.mayLose()
                    && one.firstTriedNanos() - crash.backNanos() < 0
                    && one.answeredNanos() - crash.killedNanos() > 0);
  }

  private long life(Published.Accepted one) {
    return crashes.stream()
        .filter(crash -> crash.mayLose() && one.firstTriedNanos() - crash.backNanos() > 0)
        .count();
  }
}
