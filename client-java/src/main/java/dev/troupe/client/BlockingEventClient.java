package dev.troupe.client;

import static dev.troupe.client.Blocking.await;

import dev.troupe.v1.Event;
import dev.troupe.v1.PublishResponse;
import dev.troupe.v1.SubscribeRequest;

/** {@link EventClient} for callers who wait. Every call throws {@link TroupeClientException}. */
public final class BlockingEventClient {

  private final EventClient events;

  BlockingEventClient(EventClient events) {
    this.events = events;
  }

  /** See {@link EventClient#publish(String, Event)}. */
  public PublishResponse publish(String topic, Event event) {
    return await(events.publish(topic, event));
  }

  /** Subscribes with a reader that is asked for one event after the other. */
  public EventReader subscribe(SubscribeRequest request) {
    return new EventReader(events, request);
  }
}
