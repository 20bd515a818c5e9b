package dev.troupe.server.redis;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;

/** Lets something start a number of times within any window of time, and not more often. */
final class StartLimit {

  private final int most;
  private final Duration window;

  /** When it was started, in {@link System#nanoTime}; the oldest first. */
  private final Deque<Long> starts = new ArrayDeque<>();

  StartLimit(int most, Duration window) {
    this.most = most;
    this.window = window;
  }

  /**
   * Takes the next start if it may be now; else takes nothing and says how long that has to wait.
   */
  Duration claim(long now) {
    if (starts.size() == most) {
      long wait = starts.getFirst() + window.toNanos() - now;
      if (wait > 0) {
        return Duration.ofNanos(wait);
      }
      starts.removeFirst();
    }
    starts.addLast(now);
    return Duration.ZERO;
  }
}
