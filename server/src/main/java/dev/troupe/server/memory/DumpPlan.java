package dev.troupe.server.memory;

import java.time.Duration;

/** When the dump of a partition is worth writing. Not thread-safe. */
final class DumpPlan {

  /** Fewer items than these are read from Redis as fast. */
  static final int LEAST_ITEMS = 2_000;

  /** An index this much behind catches up in some ten milliseconds. */
  private static final long LITTLE_BEHIND = 500;

  private static final long MUCH_BEHIND = 2_000;

  /** Or this part of the items, so that a large index is not written for little. */
  private static final int PART = 20;

  /** Passing over an entry of others costs this part of what reading an item does. */
  private static final int ENTRIES_OF_OTHERS = 10;

  /** A log keeps its entries for at least a minute, and by default for a day. */
  private static final Duration OLD = Duration.ofHours(1);

  enum Step {
    NOTHING,
    /** Say that the dump holds for where the log is now. */
    MOVE,
    WRITE,
    /** Too little is left to be worth one. */
    DELETE
  }

  private final Duration interval;
  private boolean kept;
  private long keptChanges;
  private long keptSequence;
  private long keptNanos;
  private long triedNanos;
  private boolean tried;

  /**
   * With no dump yet.
   *
   * @param interval between two that are written, at least
   */
  DumpPlan(Duration interval) {
    this.interval = interval;
  }

  /**
   * What to do.
   *
   * @param sequence where the index is in its log
   * @param changes how many were made so far
   * @param last whether the server is about to stop
   */
  Step next(long sequence, long changes, long items, long nanos, boolean last) {
    if (items < LEAST_ITEMS) {
      return kept ? Step.DELETE : Step.NOTHING;
    }
    boolean early = tried && nanos - triedNanos < interval.toNanos() && !last;
    if (!kept) {
      return early ? Step.NOTHING : Step.WRITE;
    }
    long made = changes - keptChanges;
    long behind = made + (sequence - keptSequence) / ENTRIES_OF_OTHERS;
    boolean old = nanos - keptNanos > OLD.toNanos() && sequence > keptSequence;
    if (made == 0) {
      return old || behind > LITTLE_BEHIND || (last && sequence > keptSequence)
          ? Step.MOVE
          : Step.NOTHING;
    }
    boolean due = old || behind > (last ? LITTLE_BEHIND : Math.max(MUCH_BEHIND, items / PART));
    return due && !early ? Step.WRITE : Step.NOTHING;
  }

  /** There is one as of this place in the log, with so many changes. */
  void kept(long sequence, long changes, long nanos) {
    kept = true;
    keptSequence = sequence;
    keptChanges = changes;
    keptNanos = nanos;
  }

  /** There is none any more. */
  void deleted() {
    kept = false;
  }

  /** It could not be done, and nobody knows what there is. */
  void failed(long nanos) {
    kept = false;
    begins(nanos);
  }

  /** One is being written, whatever becomes of it. */
  void begins(long nanos) {
    tried = true;
    triedNanos = nanos;
  }
}
