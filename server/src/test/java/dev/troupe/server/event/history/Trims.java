package dev.troupe.server.event.history;

import java.util.ArrayList;
import java.util.List;

/** What was dropped from the beginnings of the logs, and when. Thread-safe. */
final class Trims {

  private final List<Trim> asked = new ArrayList<>();
  private final List<Trim> done = new ArrayList<>();

  private record Trim(int partition, long upTo, long nanos) {}

  /** Everything up to a position is about to be dropped. */
  synchronized void asked(int partition, long upTo) {
    asked.add(new Trim(partition, upTo, System.nanoTime()));
  }

  /** It is. */
  synchronized void done(int partition, long upTo) {
    done.add(new Trim(partition, upTo, System.nanoTime()));
  }

  /** Up to where it can have been dropped at a time; 0 for nothing. */
  synchronized long atMostUpTo(int partition, long nanos) {
    return upTo(asked, partition, nanos);
  }

  /** Up to where it had been dropped at a time, however things went; 0 for nothing. */
  synchronized long atLeastUpTo(int partition, long nanos) {
    return upTo(done, partition, nanos);
  }

  private static long upTo(List<Trim> trims, int partition, long nanos) {
    return trims.stream()
        .filter(trim -> trim.partition == partition && trim.nanos - nanos <= 0)
        .mapToLong(Trim::upTo)
        .max()
        .orElse(0);
  }
}
