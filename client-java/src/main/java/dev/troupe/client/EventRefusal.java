package dev.troupe.client;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Fails a handler's stage to say how its event is to be given back. */
public final class EventRefusal extends Exception {

  private static final long serialVersionUID = 1L;

  private final boolean dead;
  private final @Nullable Duration delay;

  private EventRefusal(String reason, boolean dead, @Nullable Duration delay) {
    super(reason);
    this.dead = dead;
    this.delay = delay;
  }

  /** It shall not come again: it is a dead letter at once. */
  public static EventRefusal dead(String reason) {
    return new EventRefusal(reason, true, null);
  }

  /** It shall come again after the delay, up to 12 hours. */
  public static EventRefusal later(Duration delay, String reason) {
    return new EventRefusal(reason, false, delay);
  }

  boolean isDead() {
    return dead;
  }

  @Nullable Duration delay() {
    return delay;
  }
}
