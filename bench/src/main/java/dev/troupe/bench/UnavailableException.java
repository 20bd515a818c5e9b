package dev.troupe.bench;

/** A peer that cannot take part, with a message for people. */
final class UnavailableException extends Exception {

  private static final long serialVersionUID = 1;

  UnavailableException(String message) {
    super(message);
  }
}
