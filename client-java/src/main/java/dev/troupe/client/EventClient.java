package dev.troupe.client;

import dev.troupe.v1.Event;
import dev.troupe.v1.EventBatch;
import dev.troupe.v1.EventStreamServiceGrpc;
import dev.troupe.v1.PublishRequest;
import dev.troupe.v1.PublishResponse;
import dev.troupe.v1.StartPosition;
import dev.troupe.v1.SubscribeRequest;
import dev.troupe.v1.SubscribeResponse;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * Topics, asynchronously. A future fails with {@link TroupeClientException}. Limits, defaults and
 * errors are those of {@code EventStreamService}.
 */
public final class EventClient {

  private final ClientRuntime runtime;

  EventClient(ClientRuntime runtime) {
    this.runtime = runtime;
  }

  /** Appends an event to a topic, once, however often the call has to be repeated on the way. */
  public CompletableFuture<PublishResponse> publish(String topic, Event event) {
    return publish(PublishRequest.newBuilder().setTopic(topic).setEvent(event).build());
  }

  /** The same with all that the contract offers. */
  public CompletableFuture<PublishResponse> publish(PublishRequest request) {
    PublishRequest.Builder publish = request.toBuilder();
    if (request.getEvent().getId().isEmpty()) {
      // Without an id of its own a repeat would be another event.
      publish.getEventBuilder().setId(UUID.randomUUID().toString());
    }
    return runtime.call(EventStreamServiceGrpc.getPublishMethod(), publish.build());
  }

  /**
   * Subscribes, and goes on across lost connections without a gap until it is closed, or until the
   * request's {@code end_time}.
   */
  public Subscription subscribe(SubscribeRequest request, EventListener listener) {
    return subscribe(
        request, batch -> batch.getDeliveriesList().forEach(listener::onEvent), listener);
  }

  Subscription subscribe(
      SubscribeRequest request, Consumer<EventBatch> batches, EventListener listener) {
    return new ResumingStream<SubscribeRequest, SubscribeResponse>(
            runtime,
            EventStreamServiceGrpc.getSubscribeMethod(),
            token -> after(request, token),
            request.getResumeToken(),
            (stream, response) -> handle(stream, response, batches, listener),
            request.hasEndTime())
        .open();
  }

  /** A member of a consumer group, to be started with a handler. */
  public GroupConsumer.Builder consumer(String topic, String group) {
    return new GroupConsumer.Builder(runtime, topic, group);
  }

  private static SubscribeRequest after(SubscribeRequest request, String token) {
    if (token.isEmpty()) {
      return request;
    }
    // The token takes the place of whatever the subscription began with.
    return request.toBuilder()
        .setStart(StartPosition.START_POSITION_UNSPECIFIED)
        .clearStartTime()
        .clearLast()
        .setResumeToken(token)
        .build();
  }

  private static String handle(
      ResumingStream<SubscribeRequest, SubscribeResponse> stream,
      SubscribeResponse response,
      Consumer<EventBatch> batches,
      EventListener listener) {
    return switch (response.getMessageCase()) {
      case STARTED -> response.getStarted().getResumeToken();
      case BATCH -> {
        batches.accept(response.getBatch());
        yield response.getBatch().getResumeToken();
      }
      case CAUGHT_UP -> {
        listener.onCaughtUp();
        yield response.getCaughtUp().getResumeToken();
      }
      case CHECKPOINT -> response.getCheckpoint().getResumeToken();
      case FELL_BEHIND -> response.getFellBehind().getResumeToken();
      case GAP -> {
        listener.onGap(response.getGap());
        yield response.getGap().getResumeToken();
      }
      case GO_AWAY -> {
        var wait = response.getGoAway().getRetryAfter();
        stream.pauseFor(Durations.of(wait));
        yield response.getGoAway().getResumeToken();
      }
      case MESSAGE_NOT_SET -> "";
    };
  }
}
