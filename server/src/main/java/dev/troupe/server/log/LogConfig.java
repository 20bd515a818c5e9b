package dev.troupe.server.log;

import java.time.Duration;

/**
 * How much of a log is kept.
 *
 * @param maxEntries entries of a partition kept in Redis, about
 * @param maxAge age of entries kept in Redis, about
 * @param ringBytes heap for the newest entries of one partition that somebody reads
 */
public record LogConfig(int maxEntries, Duration maxAge, long ringBytes) {

  /** What holds unless configured otherwise. */
  public static final LogConfig DEFAULTS = new LogConfig(200_000, Duration.ofHours(24), 64L << 20);

  public LogConfig {
    if (maxEntries < 1_000) {
      throw new IllegalArgumentException(
          "log.max-entries: " + maxEntries + " (expected at least 1000)");
    }
    if (maxAge.compareTo(Duration.ofMinutes(1)) < 0) {
      throw new IllegalArgumentException("log.max-age: " + maxAge + " (expected at least 1m)");
    }
    if (ringBytes < 1 << 16) {
      throw new IllegalArgumentException(
          "log.ring-bytes: " + ringBytes + " (expected at least 65536)");
    }
  }
}
