package dev.troupe.server.event.cesql;

/**
 * What is wrong with an expression, and where.
 *
 * @param position of the character where it begins, 1 for the first; one past the end if something
 *     is missing there. Counts Unicode characters, not bytes.
 * @param reason in words, without the position
 */
public record Problem(int position, CesqlError error, String reason) {

  /** For one who wrote the expression. */
  @Override
  public String toString() {
    return "at character " + position + ": " + reason;
  }
}
