package dev.troupe.server.cli;

/** The command line makes no sense; the message says why. */
final class UsageException extends RuntimeException {

  UsageException(String message) {
    super(message, null, false, false);
  }
}
