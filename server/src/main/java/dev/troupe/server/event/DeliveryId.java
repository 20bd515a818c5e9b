package dev.troupe.server.event;

import java.util.regex.Pattern;

/**
 * Names one delivery of an event to a group.
 *
 * @param position the event's topic position
 * @param token the delivery's fencing token
 * @param generation of the group: another one after each move
 */
record DeliveryId(long position, long token, long generation) {

  private static final Pattern FORM = Pattern.compile("[0-9a-z]{1,11}(\\.[0-9a-z]{1,11}){2}");
  private static final int RADIX = 36;

  /** What callers see. */
  String text() {
    return Long.toString(position, RADIX)
        + '.'
        + Long.toString(token, RADIX)
        + '.'
        + Long.toString(generation, RADIX);
  }

  static boolean isValid(String text) {
    return FORM.matcher(text).matches();
  }

  /** Reads what {@link #isValid} accepts. */
  static DeliveryId parse(String text) {
    String[] parts = text.split("\\.", -1);
    return new DeliveryId(
        Long.parseLong(parts[0], RADIX),
        Long.parseLong(parts[1], RADIX),
        Long.parseLong(parts[2], RADIX));
  }
}
