package dev.troupe.server.memory.search;

/** The best that several threads find together. */
final class SharedTop {

  private final TopSlots top;
  private final double least;
  private volatile double threshold;

  /**
   * Goes on with what was found so far.
   *
   * @param least what the best are known to reach, though they are not in {@code top} yet
   */
  SharedTop(TopSlots top, double least) {
    this.top = top;
    this.least = least;
    threshold = Math.max(least, top.threshold());
  }

  /** What a key has to reach, or it need not be offered. */
  double threshold() {
    return threshold;
  }

  /** Takes a visible slot in if it is among the best so far. Each slot once. */
  synchronized void offer(int slot, double key) {
    top.offer(slot, key);
    threshold = Math.max(least, top.threshold());
  }
}
