package dev.troupe.server.config;

import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Durations as people write them: {@code 250ms}, {@code 30s}, {@code 5m}, {@code PT1M30S}. */
public final class DurationText {

  /** What may be written. */
  public static final String EXAMPLES = "such as 250ms, 30s, 5m, 2h, 7d or PT1M30S";

  /** The same for those who wrote something else. */
  public static final String EXPECTED = "a duration " + EXAMPLES;

  private static final Pattern FORM = Pattern.compile("(\\d{1,15})\\s*(ms|s|m|h|d)");

  private static final Map<String, Long> MILLIS =
      Map.of("ms", 1L, "s", 1_000L, "m", 60_000L, "h", 3_600_000L, "d", 86_400_000L);

  private static final long MINUTE = 60;
  private static final long HOUR = 60 * MINUTE;
  private static final long DAY = 24 * HOUR;

  private DurationText() {}

  /** The duration as {@link #parse} reads it: in the largest unit that it is a whole number of. */
  public static String of(Duration duration) {
    boolean isTooLongForMillis = duration.getSeconds() > Long.MAX_VALUE / 1000 - 1;
    if (duration.isNegative() || isTooLongForMillis || duration.toNanosPart() % 1_000_000 != 0) {
      return duration.toString();
    }
    if (duration.toMillisPart() > 0) {
      return duration.toMillis() + "ms";
    }
    long seconds = duration.toSeconds();
    // A single day is 24 hours to most.
    if (seconds > DAY && seconds % DAY == 0) {
      return seconds / DAY + "d";
    }
    if (seconds > 0 && seconds % HOUR == 0) {
      return seconds / HOUR + "h";
    }
    return seconds > 0 && seconds % MINUTE == 0 ? seconds / MINUTE + "m" : seconds + "s";
  }

  /**
   * Reads a duration.
   *
   * @throws IllegalArgumentException when it is malformed
   */
  public static Duration parse(String text) {
    String value = text.strip();
    if (value.equals("0")) {
      return Duration.ZERO;
    }
    Matcher matcher = FORM.matcher(value.toLowerCase(Locale.ROOT));
    try {
      if (!matcher.matches()) {
        return Duration.parse(value);
      }
      long unit = MILLIS.getOrDefault(matcher.group(2), 1L);
      return Duration.ofMillis(Math.multiplyExact(Long.parseLong(matcher.group(1)), unit));
    } catch (DateTimeParseException | ArithmeticException e) {
      throw new IllegalArgumentException(text + " (expected: " + EXPECTED + ")", e);
    }
  }
}
