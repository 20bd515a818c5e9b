package dev.troupe.server.grpc;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * How many calls may be under way at a time, found out by how long they take.
 *
 * <p>While calls take longer than the target on the average, they queue somewhere behind us, and
 * letting more in only makes all of them late; so the limit falls by a tenth each 50 milliseconds,
 * down to {@value #LEAST}. While they are fast it rises by a tenth, up to the configured most,
 * where it begins: a burst into an idle server is let in as a whole.
 *
 * <p>Thread-safe, without a lock. Sums may lose a call at the border of two windows, which does not
 * matter to an average.
 */
final class Admission {

  /** A Redis that stalls must not shut the door for good. */
  static final int LEAST = 128;

  private static final long WINDOW_NANOS = Duration.ofMillis(50).toNanos();

  private final int most;
  private final int least;
  private final long targetNanos;
  private final AtomicInteger inFlight = new AtomicInteger();
  private final AtomicInteger count = new AtomicInteger();
  private final AtomicLong sum = new AtomicLong();
  private final AtomicLong windowEnd;
  private volatile int limit;

  Admission(int most, Duration target, long nowNanos) {
    this.most = most;
    this.least = Math.min(LEAST, most);
    this.targetNanos = target.toNanos();
    this.windowEnd = new AtomicLong(nowNanos + WINDOW_NANOS);
    this.limit = most;
  }

  /** Lets a call in, which then has to leave, or does not. */
  boolean tryEnter() {
    if (inFlight.incrementAndGet() <= limit) {
      return true;
    }
    inFlight.decrementAndGet();
    return false;
  }

  /** A call is over whose time says nothing. */
  void leave() {
    inFlight.decrementAndGet();
  }

  /** A call is over that took so long. */
  void leave(long tookNanos, long nowNanos) {
    inFlight.decrementAndGet();
    sum.addAndGet(tookNanos);
    count.incrementAndGet();
    long end = windowEnd.get();
    if (nowNanos - end >= 0 && windowEnd.compareAndSet(end, nowNanos + WINDOW_NANOS)) {
      adjust();
    }
  }

  private void adjust() {
    int calls = count.getAndSet(0);
    long average = sum.getAndSet(0) / Math.max(1, calls);
    int current = limit;
    limit =
        average > targetNanos
            ? Math.max(least, current - current / 10)
            : Math.min(most, current + Math.max(1, current / 10));
  }

  int limit() {
    return limit;
  }
}
