package dev.troupe.server.event;

import com.google.inject.Inject;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.grpc.Answers;
import dev.troupe.server.grpc.Names;
import dev.troupe.server.grpc.StatusMapper;
import dev.troupe.server.grpc.StreamPace;
import dev.troupe.server.grpc.StreamPump;
import dev.troupe.server.grpc.StreamPumps;
import dev.troupe.v1.ConsumeRequest;
import dev.troupe.v1.ConsumeResponse;
import dev.troupe.v1.CreateGroupRequest;
import dev.troupe.v1.CreateGroupResponse;
import dev.troupe.v1.CreateTopicRequest;
import dev.troupe.v1.CreateTopicResponse;
import dev.troupe.v1.DeleteGroupRequest;
import dev.troupe.v1.DeleteGroupResponse;
import dev.troupe.v1.DeleteTopicRequest;
import dev.troupe.v1.DeleteTopicResponse;
import dev.troupe.v1.EventStreamServiceGrpc;
import dev.troupe.v1.GetGroupRequest;
import dev.troupe.v1.GetGroupResponse;
import dev.troupe.v1.GetTopicRequest;
import dev.troupe.v1.GetTopicResponse;
import dev.troupe.v1.ListEventsRequest;
import dev.troupe.v1.ListEventsResponse;
import dev.troupe.v1.ListGroupsRequest;
import dev.troupe.v1.ListGroupsResponse;
import dev.troupe.v1.ListTopicsRequest;
import dev.troupe.v1.ListTopicsResponse;
import dev.troupe.v1.PublishBatchRequest;
import dev.troupe.v1.PublishBatchResponse;
import dev.troupe.v1.PublishRequest;
import dev.troupe.v1.PublishResponse;
import dev.troupe.v1.PublishStreamRequest;
import dev.troupe.v1.PublishStreamResponse;
import dev.troupe.v1.PullEventsRequest;
import dev.troupe.v1.PullEventsResponse;
import dev.troupe.v1.RedriveEventsRequest;
import dev.troupe.v1.RedriveEventsResponse;
import dev.troupe.v1.ReplayEventsRequest;
import dev.troupe.v1.ReplayEventsResponse;
import dev.troupe.v1.SeekGroupRequest;
import dev.troupe.v1.SeekGroupResponse;
import dev.troupe.v1.SettleEventsRequest;
import dev.troupe.v1.SettleEventsResponse;
import dev.troupe.v1.SubscribeRequest;
import dev.troupe.v1.SubscribeResponse;
import dev.troupe.v1.UpdateGroupRequest;
import dev.troupe.v1.UpdateGroupResponse;
import dev.troupe.v1.UpdateTopicRequest;
import dev.troupe.v1.UpdateTopicResponse;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;

/** The event service: checks, calls, answers. */
public final class EventStreamService extends EventStreamServiceGrpc.EventStreamServiceImplBase {

  private final Publishing publishing;
  private final PublishStreams publishStreams;
  private final EventHistory history;
  private final TopicCalls topics;
  private final EventStarts starts;
  private final StreamPumps pumps;
  private final GroupCalls groups;
  private final GroupPulls pulls;
  private final ConsumeStreams consumers;
  private final StreamPace pace;

  @Inject
  public EventStreamService(
      Publishing publishing,
      PublishStreams publishStreams,
      EventHistory history,
      TopicCalls topics,
      EventStarts starts,
      StreamPumps pumps,
      EventConfig config,
      GroupCalls groups,
      GroupPulls pulls,
      ConsumeStreams consumers) {
    this.publishing = publishing;
    this.publishStreams = publishStreams;
    this.history = history;
    this.topics = topics;
    this.starts = starts;
    this.pumps = pumps;
    this.groups = groups;
    this.pulls = pulls;
    this.consumers = consumers;
    this.pace = new StreamPace(config.checkpointInterval(), config.slowReaderTimeout());
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

  @Override
  public void createGroup(CreateGroupRequest request, StreamObserver<CreateGroupResponse> caller) {
    Answers.answer(caller, () -> groups.create(request));
  }

  @Override
  public void updateGroup(UpdateGroupRequest request, StreamObserver<UpdateGroupResponse> caller) {
    Answers.answer(
        caller,
        () ->
            groups
                .update(request)
                .thenApply(group -> UpdateGroupResponse.newBuilder().setGroup(group).build()));
  }

  @Override
  public void getGroup(GetGroupRequest request, StreamObserver<GetGroupResponse> caller) {
    Answers.answer(caller, () -> groups.get(request));
  }

  @Override
  public void listGroups(ListGroupsRequest request, StreamObserver<ListGroupsResponse> caller) {
    Answers.answer(caller, () -> groups.list(request));
  }

  @Override
  public void deleteGroup(DeleteGroupRequest request, StreamObserver<DeleteGroupResponse> caller) {
    Answers.answer(caller, () -> groups.delete(request));
  }

  @Override
  public void seekGroup(SeekGroupRequest request, StreamObserver<SeekGroupResponse> caller) {
    Answers.answer(caller, () -> groups.seek(request));
  }

  @Override
  public StreamObserver<ConsumeRequest> consume(StreamObserver<ConsumeResponse> caller) {
    return consumers.open(caller);
  }

  @Override
  public void pullEvents(PullEventsRequest request, StreamObserver<PullEventsResponse> caller) {
    Answers.answer(caller, () -> pulls.pull(request));
  }

  @Override
  public void settleEvents(
      SettleEventsRequest request, StreamObserver<SettleEventsResponse> caller) {
    Answers.answer(caller, () -> groups.settle(request));
  }

  @Override
  public void redriveEvents(
      RedriveEventsRequest request, StreamObserver<RedriveEventsResponse> caller) {
    Answers.answer(caller, () -> groups.redrive(request));
  }
}
