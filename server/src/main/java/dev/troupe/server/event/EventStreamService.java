package dev.troupe.server.event;

import com.google.inject.Inject;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.event.EventStore.Outcome.Fenced;
import dev.troupe.server.event.EventStore.Outcome.Published;
import dev.troupe.server.grpc.Answers;
import dev.troupe.server.grpc.Names;
import dev.troupe.server.log.PartitionLogs.LogHead;
import dev.troupe.server.log.ResumePoint;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.Event;
import dev.troupe.v1.EventStreamServiceGrpc;
import dev.troupe.v1.PublishRequest;
import dev.troupe.v1.PublishResponse;
import io.grpc.BindableService;
import io.grpc.ServerServiceDefinition;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** The event service: checks, calls, answers. */
public final class EventStreamService
    implements BindableService, EventStreamServiceGrpc.AsyncService {

  private final EventStore store;
  private final Subscribing subscribing;
  private final EventConfig config;

  @Inject
  public EventStreamService(EventStore store, Subscribing subscribing, EventConfig config) {
    this.store = store;
    this.subscribing = subscribing;
    this.config = config;
  }

  @Override
  public ServerServiceDefinition bindService() {
    return subscribing.into(EventStreamServiceGrpc.bindService(this));
  }

  @Override
  public void publish(PublishRequest request, StreamObserver<PublishResponse> caller) {
    Answers.answer(
        caller,
        () -> {
          EventChecks.publish(request, config.maxData().bytes());
          String namespace = Names.namespace(request.getNamespace());
          Event event = withId(request.getEvent());
          return store
              .publish(namespace, request.getTopic(), event, request.getFence())
              .thenApply(outcome -> response(namespace, request.getTopic(), event, outcome));
        });
  }

  private static Event withId(Event event) {
    return event.getId().isEmpty()
        ? event.toBuilder().setId(UUID.randomUUID().toString()).build()
        : event;
  }

  private static PublishResponse response(
      String namespace, String topic, Event event, EventStore.Outcome outcome) {
    if (outcome instanceof Published published) {
      Map<Integer, LogHead> positions = Map.of(published.partition().index(), published.at());
      return PublishResponse.newBuilder()
          .setEventId(event.getId())
          .setDuplicate(published.duplicate())
          .setResumeToken(
              ResumePoint.of(namespace, EventStarts.purpose(List.of(topic)), positions).token())
          .build();
    }
    throw TroupeException.of(
        ErrorReason.ERROR_REASON_STALE_FENCE,
        "a higher fencing token was seen for this fence",
        Map.of("highest_token", Long.toString(((Fenced) outcome).highestToken())));
  }
}
