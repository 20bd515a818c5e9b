package dev.troupe.server.event;

import com.google.inject.Inject;
import dev.troupe.server.grpc.Answers;
import dev.troupe.v1.CreateTopicRequest;
import dev.troupe.v1.CreateTopicResponse;
import dev.troupe.v1.DeleteTopicRequest;
import dev.troupe.v1.DeleteTopicResponse;
import dev.troupe.v1.EventStreamServiceGrpc;
import dev.troupe.v1.GetTopicRequest;
import dev.troupe.v1.GetTopicResponse;
import dev.troupe.v1.ListEventsRequest;
import dev.troupe.v1.ListEventsResponse;
import dev.troupe.v1.ListTopicsRequest;
import dev.troupe.v1.ListTopicsResponse;
import dev.troupe.v1.PublishBatchRequest;
import dev.troupe.v1.PublishBatchResponse;
import dev.troupe.v1.PublishRequest;
import dev.troupe.v1.PublishResponse;
import dev.troupe.v1.PublishStreamRequest;
import dev.troupe.v1.PublishStreamResponse;
import dev.troupe.v1.ReplayEventsRequest;
import dev.troupe.v1.ReplayEventsResponse;
import dev.troupe.v1.UpdateTopicRequest;
import dev.troupe.v1.UpdateTopicResponse;
import io.grpc.BindableService;
import io.grpc.ServerServiceDefinition;
import io.grpc.stub.StreamObserver;

/** The event service: checks, calls, answers. */
public final class EventStreamService
    implements BindableService, EventStreamServiceGrpc.AsyncService {

  private final Publishing publishing;
  private final PublishStreams publishStreams;
  private final EventHistory history;
  private final TopicCalls topics;
  private final Subscribing subscribing;

  @Inject
  public EventStreamService(
      Publishing publishing,
      PublishStreams publishStreams,
      EventHistory history,
      TopicCalls topics,
      Subscribing subscribing) {
    this.publishing = publishing;
    this.publishStreams = publishStreams;
    this.history = history;
    this.topics = topics;
    this.subscribing = subscribing;
  }

  @Override
  public ServerServiceDefinition bindService() {
    return subscribing.into(EventStreamServiceGrpc.bindService(this));
  }

  @Override
  public void publish(PublishRequest request, StreamObserver<PublishResponse> caller) {
    Answers.answer(caller, () -> publishing.publish(request));
  }

  @Override
  public void publishBatch(
      PublishBatchRequest request, StreamObserver<PublishBatchResponse> caller) {
    Answers.answer(caller, () -> publishing.batch(request));
  }

  @Override
  public StreamObserver<PublishStreamRequest> publishStream(
      StreamObserver<PublishStreamResponse> caller) {
    return publishStreams.open(caller);
  }

  @Override
  public void listEvents(ListEventsRequest request, StreamObserver<ListEventsResponse> caller) {
    Answers.answer(caller, () -> history.list(request));
  }

  @Override
  public void replayEvents(
      ReplayEventsRequest request, StreamObserver<ReplayEventsResponse> caller) {
    Answers.answer(caller, () -> history.replay(request));
  }

  @Override
  public void createTopic(CreateTopicRequest request, StreamObserver<CreateTopicResponse> caller) {
    Answers.answer(caller, () -> topics.create(request));
  }

  @Override
  public void updateTopic(UpdateTopicRequest request, StreamObserver<UpdateTopicResponse> caller) {
    Answers.answer(caller, () -> topics.update(request));
  }

  @Override
  public void getTopic(GetTopicRequest request, StreamObserver<GetTopicResponse> caller) {
    Answers.answer(caller, () -> topics.get(request));
  }

  @Override
  public void listTopics(ListTopicsRequest request, StreamObserver<ListTopicsResponse> caller) {
    Answers.answer(caller, () -> topics.list(request));
  }

  @Override
  public void deleteTopic(DeleteTopicRequest request, StreamObserver<DeleteTopicResponse> caller) {
    Answers.answer(caller, () -> topics.delete(request));
  }
}
