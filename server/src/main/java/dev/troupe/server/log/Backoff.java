package dev.troupe.server.log;

import java.util.concurrent.ThreadLocalRandom;

/**
 * Growing pauses with jitter, so that servers that lost Redis together do not come back together.
 * Not thread-safe.
 */
final class Backoff {

  private static final long FIRST_MILLIS = 50;
  private static final long LONGEST_MILLIS = 2_000;

  private int failures;

  /** The pause before the next try, in milliseconds. */
  long nextMillis() {
    long cap = Math.min(LONGEST_MILLIS, FIRST_MILLIS << Math.min(failures, 10));
    failures++;
    return cap / 2 + ThreadLocalRandom.current().nextLong(cap / 2 + 1);
  }

  /** Whether the last try failed. */
  boolean failing() {
    return failures > 0;
  }

  void succeeded() {
    failures = 0;
  }
}
