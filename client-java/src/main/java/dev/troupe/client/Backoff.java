package dev.troupe.client;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/**
 * How long to wait before the next try: an even draw below a ceiling that doubles from 100
 * milliseconds to 1 second, so that a worker is back within the grace of its leases and a fleet
 * does not return in step. Not thread-safe.
 */
final class Backoff {

  private static final long FIRST_MILLIS = 100;
  private static final long MOST_MILLIS = 1_000;

  private long ceilingMillis = FIRST_MILLIS;

  Duration next() {
    long wait = ThreadLocalRandom.current().nextLong(10, ceilingMillis);
    ceilingMillis = Math.min(MOST_MILLIS, ceilingMillis * 2);
    return Duration.ofMillis(wait);
  }

  void reset() {
    ceilingMillis = FIRST_MILLIS;
  }
}
