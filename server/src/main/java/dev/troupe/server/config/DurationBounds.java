package dev.troupe.server.config;

import java.time.Duration;

/** What a setting that is a duration may be. */
public final class DurationBounds {

  private DurationBounds() {}

  /**
   * Checks a lower bound.
   *
   * @throws IllegalArgumentException when the value is below; the message names the setting
   */
  public static void atLeast(String setting, Duration value, Duration least) {
    if (value.compareTo(least) < 0) {
      throw refused(setting, value, DurationText.of(least) + " or more");
    }
  }

  /**
   * Checks both bounds, which are themselves allowed.
   *
   * @throws IllegalArgumentException when the value is outside; the message names the setting
   */
  public static void between(String setting, Duration value, Duration least, Duration most) {
    if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
      throw refused(setting, value, range(least, most));
    }
  }

  /**
   * Checks both bounds, where zero stands for none and is allowed too.
   *
   * @throws IllegalArgumentException when the value is outside; the message names the setting
   */
  public static void zeroOrBetween(String setting, Duration value, Duration least, Duration most) {
    boolean outside = value.compareTo(least) < 0 || value.compareTo(most) > 0;
    if (outside && !value.isZero()) {
      throw refused(setting, value, "0 for none, or " + range(least, most));
    }
  }

  private static String range(Duration least, Duration most) {
    return DurationText.of(least) + " to " + DurationText.of(most);
  }

  private static IllegalArgumentException refused(String setting, Duration value, String expected) {
    return new IllegalArgumentException(
        setting + ": " + DurationText.of(value) + " (expected: " + expected + ")");
  }
}
