package dev.troupe.server.task;

/** What became of one lease that was to be extended. */
public sealed interface Extension {

  /**
   * It runs longer now.
   *
   * @param untilMicros when it runs out, microseconds since 1970
   * @param cancelRequested the attempt should stop
   */
  record Extended(long untilMicros, boolean cancelRequested) implements Extension {}

  /** The attempt is not the current one any more. */
  record Stale() implements Extension {}

  /** There is no such task. */
  record Missing() implements Extension {}
}
