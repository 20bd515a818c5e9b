package dev.troupe.server.event;

import com.google.inject.Inject;
import dev.troupe.server.event.TopicStore.Asked;
import dev.troupe.server.event.TopicStore.TopicPage;
import dev.troupe.server.grpc.Names;
import dev.troupe.server.grpc.PageTokens;
import dev.troupe.server.grpc.RequestDigest;
import dev.troupe.server.redis.Namespaces;
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
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** The calls about topics: check, call, answer. */
final class TopicCalls {

  private static final int USUAL_PAGE = 50;

  /** Topics of one script: each is looked at for its oldest and newest event. */
  private static final int AT_ONCE = 64;

  private final TopicStore store;
  private final Namespaces namespaces;

  @Inject
  TopicCalls(TopicStore store, Namespaces namespaces) {
    this.store = store;
    this.namespaces = namespaces;
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
    String place = PageTokens.read(arguments, request.getPageToken());
    int newline = place.indexOf('\n');
    int first = newline < 0 ? 0 : Integer.parseInt(place.substring(0, newline));
    int most = request.getPageSize() == 0 ? USUAL_PAGE : request.getPageSize();
    return namespaces
        .partitions(namespace)
        .thenCompose(
            partitions ->
                new Page(request.getPrefix(), partitions, arguments, most)
                    .fill(first, place.substring(newline + 1)));
  }

  /** One page, filled partition by partition. */
  private final class Page {

    private final String prefix;
    private final List<Partition> partitions;
    private final String arguments;
    private final int most;
    private final ListTopicsResponse.Builder response = ListTopicsResponse.newBuilder();

    Page(String prefix, List<Partition> partitions, String arguments, int most) {
      this.prefix = prefix;
      this.partitions = partitions;
      this.arguments = arguments;
      this.most = most;
    }

    CompletionStage<ListTopicsResponse> fill(int index, String after) {
      if (index >= partitions.size()) {
        return CompletableFuture.completedFuture(response.build());
      }
      int room = Math.min(AT_ONCE, most - response.getTopicsCount());
      if (room == 0) {
        return CompletableFuture.completedFuture(
            response.setNextPageToken(PageTokens.make(arguments, index + "\n" + after)).build());
      }
      return store
          .list(partitions.get(index), prefix, after, room)
          .thenCompose(page -> add(index, after, page));
    }

    private CompletionStage<ListTopicsResponse> add(int index, String after, TopicPage page) {
      response.addAllTopics(page.topics());
      if (!page.more()) {
        return fill(index + 1, "");
      }
      int last = page.topics().size() - 1;
      return fill(index, last < 0 ? after : page.topics().get(last).getName());
    }
  }
}
