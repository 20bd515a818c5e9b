package dev.troupe.client;

import dev.troupe.v1.EventDelivery;
import dev.troupe.v1.Gap;

/**
 * Hears what a subscription brings, one call at a time and in order. It may block: the stream
 * waits, and a server that waited for 30 seconds ends the stream, which then goes on where it was.
 * What it throws ends the subscription.
 */
@FunctionalInterface
public interface EventListener {

  /** An event. One that was being handled when a connection was lost may come again. */
  void onEvent(EventDelivery delivery);

  /** Events between the last one and the next can no longer be read. */
  default void onGap(Gap gap) {}

  /** History is read to its end; what follows is live. Comes again after a reconnect. */
  default void onCaughtUp() {}
}
