package dev.troupe.server.lifecycle;

import dev.troupe.server.config.DurationBounds;
import dev.troupe.server.config.Setting;
import java.time.Duration;

/**
 * Settings of start and stop.
 *
 * @param stopGrace how long each part of the server may take for work in hand when it stops
 */
public record LifecycleConfig(
    @Setting(
            name = "lifecycle.stop-grace",
            help = "How long each part may take to finish work in hand on a stop, 0 to 10m.",
            fallback = "10s")
        Duration stopGrace) {

  private static final Duration LONGEST = Duration.ofMinutes(10);

  public LifecycleConfig {
    DurationBounds.between("lifecycle.stop-grace", stopGrace, Duration.ZERO, LONGEST);
  }
}
