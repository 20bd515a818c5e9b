package dev.troupe.server.event;

import com.google.inject.Inject;
import dev.troupe.server.event.TopicStore.Asked;
import dev.troupe.server.grpc.Names;
import dev.troupe.server.grpc.PartitionPages;
import dev.troupe.server.grpc.RequestDigest;
import dev.troupe.server.redis.Partition;
import dev.troupe.v1.CreateTopicRequest;
import dev.troupe.v1.CreateTopicResponse;
import dev.troupe.v1.DeleteTopicRequest;
import dev.troupe.v1.DeleteTopicResponse;
import dev.troupe.v1.GetTopicRequest;
import dev.troupe.v1.GetTopicResponse;
import dev.troupe.v1.ListTopicsRequest;
import dev.troupe.v1.ListTopicsResponse;
import dev.troupe.v1.UpdateTopicRequest;
import dev.troupe.v1.UpdateTopicResponse;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/** The calls about topics: check, call, answer. */
final class TopicCalls {

  private static final int USUAL_PAGE = 50;

  /** Topics of one script: each is looked at for its oldest and newest event. */
  private static final int AT_ONCE = 64;

  private final TopicStore store;
  private final PartitionPages pages;

  @Inject
  TopicCalls(TopicStore store, PartitionPages pages) {
    this.store = store;
    this.pages = pages;
  }

  CompletionStage<CreateTopicResponse> create(CreateTopicRequest request) {
    TopicChecks.create(request);
    Asked asked =
        new Asked(
            request.getRequestId(),
            RequestDigest.of(request.getRequestId(), request),
            request.getFence());
    return locate(request.getNamespace(), request.getTopic())
        .thenCompose(
            partition -> store.create(partition, request.getTopic(), request.getSettings(), asked))
        .thenApply(topic -> CreateTopicResponse.newBuilder().setTopic(topic).build());
  }

  CompletionStage<UpdateTopicResponse> update(UpdateTopicRequest request) {
    TopicChecks.update(request);
    Asked asked =
        new Asked(
            request.getRequestId(),
            RequestDigest.of(request.getRequestId(), request),
            request.getFence());
    return locate(request.getNamespace(), request.getTopic())
        .thenCompose(
            partition ->
                store.update(
                    partition,
                    request.getTopic(),
                    request.getUpdateMask().getPathsList(),
                    request.getSettings(),
                    request.getExpectedVersion(),
                    asked))
        .thenApply(topic -> UpdateTopicResponse.newBuilder().setTopic(topic).build());
  }

  CompletionStage<GetTopicResponse> get(GetTopicRequest request) {
    TopicChecks.get(request);
    return locate(request.getNamespace(), request.getTopic())
        .thenCompose(partition -> store.get(partition, request.getTopic()))
        .thenApply(topic -> GetTopicResponse.newBuilder().setTopic(topic).build());
  }

  CompletionStage<DeleteTopicResponse> delete(DeleteTopicRequest request) {
    TopicChecks.delete(request);
    Asked asked =
        new Asked(
            request.getRequestId(),
            RequestDigest.of(request.getRequestId(), request),
            request.getFence());
    return locate(request.getNamespace(), request.getTopic())
        .thenCompose(
            partition ->
                store.delete(partition, request.getTopic(), request.getExpectedVersion(), asked))
        .thenApply(done -> DeleteTopicResponse.getDefaultInstance());
  }

  private CompletionStage<Partition> locate(String namespace, String topic) {
    return store.locate(Names.namespace(namespace), topic);
  }

  CompletionStage<ListTopicsResponse> list(ListTopicsRequest request) {
    TopicChecks.list(request);
    String namespace = Names.namespace(request.getNamespace());
    String arguments = String.join("\n", "topics", namespace, request.getPrefix());
    Page page = new Page(request);
    return pages
        .fill(namespace, arguments, request.getPageToken(), page)
        .thenApply(next -> page.response.setNextPageToken(next).build());
  }

  private final class Page implements PartitionPages.Page {

    private final String prefix;
    private final int most;
    private final ListTopicsResponse.Builder response = ListTopicsResponse.newBuilder();

    Page(ListTopicsRequest request) {
      prefix = request.getPrefix();
      most = request.getPageSize() == 0 ? USUAL_PAGE : request.getPageSize();
    }

    @Override
    public boolean isFull() {
      return response.getTopicsCount() == most;
    }

    @Override
    public CompletionStage<Optional<String>> add(Partition partition, String after) {
      return store
          .list(partition, prefix, after, Math.min(AT_ONCE, most - response.getTopicsCount()))
          .thenApply(
              found -> {
                response.addAllTopics(found.topics());
                int last = found.topics().size() - 1;
                return found.more()
                    ? Optional.of(last < 0 ? after : found.topics().get(last).getName())
                    : Optional.empty();
              });
    }
  }
}
