package dev.troupe.server.event.history;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.SplittableRandom;

/**
 * All that a run chooses at random. The same seed makes the same choices, not the same timing.
 *
 * @param seed what its publishers, readers and members draw from
 * @param faults in this order; none for every fourth seed
 * @param paceMillis between two calls of a publisher, on average
 * @param ackSeconds ack deadline of the group
 * @param ordered whether the group delivers by key
 * @param logEntries to how many entries, at most, the logs are trimmed all the time; 0 when they
 *     are not, for three seeds of five
 */
record HistoryPlan(
    long seed,
    List<Fault> faults,
    int paceMillis,
    int ackSeconds,
    boolean ordered,
    int logEntries) {

  /** What goes wrong. */
  enum Kind {
    SERVER_KILLED,
    REDIS_KILLED,
    BOTH_KILLED,
    SERVER_PAUSED,
    REDIS_PAUSED,
    REDIS_KILLED_WHILE_A_SERVER_IS_PAUSED,
    READER_SLOW,
    MEMBER_SILENT
  }

  /**
   * One thing that goes wrong.
   *
   * @param quietMillis before it does
   * @param millis how long it lasts
   * @param whom of several
   * @param share of what Redis may lose, how much it does; 0 when only the process dies
   */
  record Fault(Kind kind, int quietMillis, int millis, int whom, double share) {

    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "after %d ms %s for %d ms (%d, share %.2f)",
          quietMillis,
          kind,
          millis,
          whom,
          share);
    }
  }

  static HistoryPlan of(long seed) {
    // Seeds that follow each other begin alike in a Random.
    Random random = new Random(new SplittableRandom(seed).nextLong());
    List<Fault> faults = new ArrayList<>();
    int count = Math.floorMod(seed, 4) == 0 ? 0 : 2 + random.nextInt(4);
    for (int i = 0; i < count; i++) {
      Kind kind = Kind.values()[random.nextInt(Kind.values().length)];
      faults.add(
          new Fault(
              kind,
              200 + random.nextInt(800),
              kind == Kind.READER_SLOW || kind == Kind.MEMBER_SILENT
                  ? 500 + random.nextInt(3000)
                  : random.nextInt(1200),
              random.nextInt(100),
              random.nextInt(3) == 0 ? 0 : random.nextDouble()));
    }
    return new HistoryPlan(
        random.nextLong(),
        List.copyOf(faults),
        5 + random.nextInt(20),
        faults.isEmpty() ? 30 : 1 + random.nextInt(3),
        random.nextBoolean(),
        Math.floorMod(seed, 5) % 2 == 0 ? 0 : 1 + random.nextInt(80));
  }
}
