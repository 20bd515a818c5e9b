package dev.troupe.client;

import java.time.Duration;

/** Thrown by a handler to give its task back: it keeps its checkpoint and counts no failure. */
public final class TaskRelease extends Exception {

  private static final long serialVersionUID = 1L;

  private final Duration delay;

  /**
   * Not to be leased before the delay, up to 365 days, has passed; the reason takes up to 256
   * bytes.
   */
  public TaskRelease(Duration delay, String reason) {
    super(reason);
    this.delay = delay;
  }

  Duration delay() {
    return delay;
  }
}
