package dev.troupe.server.log;

import dev.troupe.server.config.DataSize;
import dev.troupe.server.config.Setting;
import java.time.Duration;

/**
 * How much of a log is kept.
 *
 * @param maxEntries entries of a partition kept in Redis, about
 * @param maxAge age of entries kept in Redis, about
 * @param ringBytes heap for the newest entries of one partition that somebody reads
 */
public record LogConfig(
    @Setting(
            name = "log.max-entries",
            help = "Entries of a partition's log kept in Redis, about; 1000 or more.",
            fallback = "200000")
        int maxEntries,
    @Setting(
            name = "log.max-age",
            help = "Age of log entries kept in Redis, about; 1m or more.",
            fallback = "24h")
        Duration maxAge,
    @Setting(
            name = "log.ring-bytes",
            help = "Heap for the newest entries of each partition that is read; 64KiB or more.",
            fallback = "64MiB")
        DataSize ringBytes) {

  public LogConfig {
    if (maxEntries < 1_000) {
      throw new IllegalArgumentException(
          "log.max-entries: " + maxEntries + " (expected at least 1000)");
    }
    if (maxAge.compareTo(Duration.ofMinutes(1)) < 0) {
      throw new IllegalArgumentException("log.max-age: " + maxAge + " (expected at least 1m)");
    }
    if (ringBytes.bytes() < 1 << 16) {
      throw new IllegalArgumentException(
          "log.ring-bytes: " + ringBytes + " (expected at least 64KiB)");
    }
  }
}
