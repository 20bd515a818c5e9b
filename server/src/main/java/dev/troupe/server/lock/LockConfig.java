package dev.troupe.server.lock;

import dev.troupe.server.config.Setting;

/**
 * Settings of the lock feature.
 *
 * @param maxWaiters how many may wait for one lock
 */
public record LockConfig(
    @Setting(
            name = "locks.max-waiters",
            help = "how many may wait for one lock at a time",
            fallback = "20000")
        int maxWaiters) {

  /** Checks the bounds. */
  public LockConfig {
    if (maxWaiters < 1 || maxWaiters > 1_000_000) {
      throw new IllegalArgumentException(
          "locks.max-waiters: " + maxWaiters + " (expected: 1 to 1000000)");
    }
  }
}
