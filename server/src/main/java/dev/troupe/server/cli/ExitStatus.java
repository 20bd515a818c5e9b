package dev.troupe.server.cli;

/** What the process ends with; scripts branch on it. */
final class ExitStatus {

  static final int OK = 0;

  /** The server refused the call, or what was asked for ended badly. */
  static final int REFUSED = 1;

  /** The command line or the configuration is wrong. */
  static final int USAGE = 2;

  /** The server cannot be reached, or cannot serve now. */
  static final int UNAVAILABLE = 3;

  static final int NOT_FOUND = 4;

  /** What was waited for did not come in time. */
  static final int TIMED_OUT = 5;

  private ExitStatus() {}
}
