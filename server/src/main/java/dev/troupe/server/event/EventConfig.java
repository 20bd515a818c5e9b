package dev.troupe.server.event;

import dev.troupe.server.config.DataSize;
import dev.troupe.server.config.DurationBounds;
import dev.troupe.server.config.Setting;
import java.time.Duration;

/**
 * Limits of the event feature.
 *
 * @param maxData largest data of an event
 * @param checkpointInterval after how long without a message a subscriber gets a checkpoint
 * @param slowReaderTimeout how long a subscriber may take nothing while events wait for it
 */
public record EventConfig(
    @Setting(
            name = "events.max-data",
            help = "Largest data of an event, 1KiB to 1MiB.",
            fallback = "256KiB")
        DataSize maxData,
    @Setting(
            name = "events.checkpoint-interval",
            help = "After how long without an event a subscriber gets a checkpoint, 250ms or more.",
            fallback = "15s")
        Duration checkpointInterval,
    @Setting(
            name = "events.slow-reader-timeout",
            help = "How long a subscriber may take nothing before it is sent away, 250ms or more.",
            fallback = "30s")
        Duration slowReaderTimeout) {

  private static final Duration SHORTEST = Duration.ofMillis(250);

  public EventConfig {
    if (maxData.bytes() < 1 << 10 || maxData.bytes() > 1 << 20) {
      throw new IllegalArgumentException(
          "events.max-data: " + maxData + " (expected: 1KiB to 1MiB)");
    }
    DurationBounds.atLeast("events.checkpoint-interval", checkpointInterval, SHORTEST);
    DurationBounds.atLeast("events.slow-reader-timeout", slowReaderTimeout, SHORTEST);
  }
}
