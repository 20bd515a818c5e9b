package dev.troupe.server.event;

import com.google.inject.Inject;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.event.EventStore.Outcome.Fenced;
import dev.troupe.server.event.EventStore.Outcome.Published;
import dev.troupe.server.grpc.Answers;
import dev.troupe.server.grpc.Names;
import dev.troupe.server.grpc.StatusMapper;
import dev.troupe.server.grpc.StreamPace;
import dev.troupe.server.grpc.StreamPump;
import dev.troupe.server.grpc.StreamPumps;
import dev.troupe.server.log.PartitionLogs.LogHead;
import dev.troupe.server.log.ResumePoint;
import dev.troupe.v1.Event;
import dev.troupe.v1.EventStreamServiceGrpc;
import dev.troupe.v1.PublishRequest;
import dev.troupe.v1.PublishResponse;
import dev.troupe.v1.ReplyRequest;
import dev.troupe.v1.ReplyResponse;
import dev.troupe.v1.RequestRequest;
import dev.troupe.v1.RequestResponse;
import dev.troupe.v1.SendMessageRequest;
import dev.troupe.v1.SendMessageResponse;
import dev.troupe.v1.SubscribeRequest;
import dev.troupe.v1.SubscribeResponse;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** The event service: checks, calls, answers. */
public final class EventStreamService extends EventStreamServiceGrpc.EventStreamServiceImplBase {

  private final EventStore store;
  private final EventStarts starts;
  private final StreamPumps pumps;
  private final EventConfig config;
  private final Inboxes inboxes;
  private final Requests requests;
  private final StreamPace pace;

  @Inject
  public EventStreamService(
      EventStore store,
      EventStarts starts,
      StreamPumps pumps,
      EventConfig config,
      Inboxes inboxes,
      Requests requests) {
    this.store = store;
    this.starts = starts;
    this.pumps = pumps;
    this.config = config;
    this.inboxes = inboxes;
    this.requests = requests;
    this.pace = new StreamPace(config.checkpointInterval(), config.slowReaderTimeout());
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
    throw EventStore.stale(((Fenced) outcome).highestToken());
  }

  @Override
  public void subscribe(SubscribeRequest request, StreamObserver<SubscribeResponse> caller) {
    try {
      EventChecks.subscribe(request);
    } catch (TroupeException refusal) {
      caller.onError(StatusMapper.toStatus(refusal));
      return;
    }
    EventFilter filter = new EventFilter(request.getTopicsList(), request.getTypesList());
    EventFormat format = new EventFormat(Names.namespace(request.getNamespace()), filter);
    StreamPump<SubscribeResponse> pump =
        pumps.open((ServerCallStreamObserver<SubscribeResponse>) caller, format, pace);
    starts
        .open(request, filter)
        .whenComplete(
            (start, failure) -> {
              if (failure != null) {
                pump.end(failure);
              } else {
                pump.begin(start.point(), start.readers());
              }
            });
  }

  @Override
  public void sendMessage(SendMessageRequest request, StreamObserver<SendMessageResponse> caller) {
    Answers.answer(
        caller,
        () -> {
          MessageChecks.send(request, config.maxData().bytes());
          return inboxes.send(request);
        });
  }

  @Override
  public void request(RequestRequest request, StreamObserver<RequestResponse> caller) {
    Answers.answer(
        caller,
        () -> {
          MessageChecks.request(request, config.maxData().bytes());
          return requests.request(request);
        });
  }

  @Override
  public void reply(ReplyRequest request, StreamObserver<ReplyResponse> caller) {
    Answers.answer(
        caller,
        () -> {
          MessageChecks.reply(request, config.maxData().bytes());
          return requests.reply(request);
        });
  }
}
