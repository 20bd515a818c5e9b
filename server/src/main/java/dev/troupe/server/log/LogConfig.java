package dev.troupe.server.log;

import dev.troupe.server.config.DataSize;
import dev.troupe.server.config.DurationBounds;
import dev.troupe.server.config.Setting;
import java.time.Duration;

/**
 * How much of a log is kept.
 *
 * @param maxEntries entries of a partition kept in Redis, about
 * @param maxAge age of entries kept in Redis, about
 * @param ringBytes heap for the newest entries of one partition that somebody reads
 * @param totalRingBytes heap for those of all partitions together
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
        DataSize ringBytes,
    @Setting(
            name = "log.total-ring-bytes",
            help =
                "Heap for those of all partitions, shared out evenly but 64KiB each; 64KiB or more.",
            fallback = "256MiB")
        DataSize totalRingBytes) {

  /** What a partition that is read has in memory, however many there are. */
  static final long LEAST_RING_BYTES = 1 << 16;

  public LogConfig {
    if (maxEntries < 1_000) {
      throw new IllegalArgumentException(
          "log.max-entries: " + maxEntries + " (expected: 1000 or more)");
    }
    DurationBounds.atLeast("log.max-age", maxAge, Duration.ofMinutes(1));
    require(ringBytes, "log.ring-bytes");
    require(totalRingBytes, "log.total-ring-bytes");
  }

  private static void require(DataSize size, String name) {
    if (size.bytes() < LEAST_RING_BYTES) {
      throw new IllegalArgumentException(name + ": " + size + " (expected: 64KiB or more)");
    }
  }
}
