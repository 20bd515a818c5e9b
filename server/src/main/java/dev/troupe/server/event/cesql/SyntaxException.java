package dev.troupe.server.event.cesql;

/** An expression cannot be read on from here. Stays within the package, and has no stack trace. */
final class SyntaxException extends Exception {

  private static final long serialVersionUID = 1;

  private final int at;
  private final String reason;
  private final CesqlError error;

  /**
   * @param at in UTF-16 units from 0
   */
  SyntaxException(int at, String reason) {
    this(at, reason, CesqlError.PARSE);
  }

  SyntaxException(int at, String reason, CesqlError error) {
    super(reason, null, false, false);
    this.at = at;
    this.reason = reason;
    this.error = error;
  }

  int at() {
    return at;
  }

  String reason() {
    return reason;
  }

  CesqlError error() {
    return error;
  }
}
