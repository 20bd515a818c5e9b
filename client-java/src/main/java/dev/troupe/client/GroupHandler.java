package dev.troupe.client;

import dev.troupe.v1.GroupDelivery;
import java.util.concurrent.CompletionStage;

/** Works on one event of a consumer group without holding a thread. */
@FunctionalInterface
public interface GroupHandler {

  /**
   * Begins and returns at once. When the stage completes, the event is acknowledged; when it fails,
   * the event is given back with the failure's message, and comes again as the group's settings
   * say. {@link EventRefusal} says otherwise. Meanwhile the delivery's deadline is extended.
   */
  CompletionStage<?> handle(GroupDelivery delivery);
}
