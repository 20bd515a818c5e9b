package dev.troupe.server.event;

import com.google.inject.Inject;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.event.EventStore.Outcome;
import dev.troupe.server.event.EventStore.Outcome.Fenced;
import dev.troupe.server.event.EventStore.Outcome.Published;
import dev.troupe.server.grpc.Checks;
import dev.troupe.server.grpc.Names;
import dev.troupe.server.grpc.StatusMapper;
import dev.troupe.server.log.PartitionLogs.LogHead;
import dev.troupe.server.log.ResumePoint;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.Replicas;
import dev.troupe.v1.Event;
import dev.troupe.v1.EventToPublish;
import dev.troupe.v1.Fence;
import dev.troupe.v1.PublishBatchRequest;
import dev.troupe.v1.PublishBatchResponse;
import dev.troupe.v1.PublishRequest;
import dev.troupe.v1.PublishResponse;
import dev.troupe.v1.PublishResult;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Takes events in: one, or many with a result each. Thread-safe. */
final class Publishing {

  /** Size of the events of one script, after which no other is added. */
  private static final int MOST_BYTES = 1 << 20;

  private final EventStore store;
  private final Replicas replicas;
  private final EventConfig config;

  @Inject
  Publishing(EventStore store, Replicas replicas, EventConfig config) {
    this.store = store;
    this.replicas = replicas;
    this.config = config;
  }

  CompletionStage<PublishResponse> publish(PublishRequest request) {
    PublishChecks.publish(request, maxData());
    String namespace = Names.namespace(request.getNamespace());
    Publication publication =
        new Publication(request.getTopic(), withId(request.getEvent()), request.getFence());
    return locate(namespace, request.getTopic())
        .thenCompose(partition -> publish(namespace, partition, publication));
  }

  /** Most bytes of an event's data. */
  long maxData() {
    return config.maxData().bytes();
  }

  CompletionStage<Partition> locate(String namespace, String topic) {
    return store.locate(namespace, topic);
  }

  /** Appends an event behind those that were given here before for its partition. */
  CompletionStage<PublishResponse> publish(
      String namespace, Partition partition, Publication publication) {
    return store
        .publish(partition, publication)
        .thenCompose(
            outcome ->
                isReplicated(outcome)
                    ? replicas.acknowledged(partition).thenApply(done -> outcome)
                    : CompletableFuture.completedFuture(outcome))
        .thenApply(outcome -> response(namespace, publication, outcome));
  }

  static Event withId(Event event) {
    return event.getId().isEmpty()
        ? event.toBuilder().setId(UUID.randomUUID().toString()).build()
        : event;
  }

  private static boolean isReplicated(Outcome outcome) {
    return outcome instanceof Published published && published.replicated();
  }

  private static PublishResponse response(
      String namespace, Publication publication, Outcome outcome) {
    if (outcome instanceof Published published) {
      Map<Integer, LogHead> positions = Map.of(published.partition().index(), published.at());
      String purpose = EventStarts.purpose(List.of(publication.topic()));
      return PublishResponse.newBuilder()
          .setEventId(publication.event().getId())
          .setDuplicate(published.duplicate())
          .setResumeToken(ResumePoint.of(namespace, purpose, positions).token())
          .build();
    }
    if (outcome instanceof Fenced fenced) {
      throw TopicCodec.staleFence(fenced.highestToken());
    }
    throw TopicCodec.tooManyTopics();
  }

  CompletionStage<PublishBatchResponse> batch(PublishBatchRequest request) {
    PublishChecks.batch(request);
    String namespace = Names.namespace(request.getNamespace());
    PublishResult[] results = new PublishResult[request.getEventsCount()];
    CompletionStage<Map<Partition, List<Item>>> located =
        CompletableFuture.completedFuture(new LinkedHashMap<>());
    for (int i = 0; i < results.length; i++) {
      EventToPublish each = request.getEvents(i);
      Checks checks = PublishChecks.item(i, each, maxData());
      if (!checks.violations().isEmpty()) {
        results[i] = refused(TroupeException.invalid(checks.violations()));
        continue;
      }
      Item item = item(i, each, request.getFence());
      located =
          located.thenCombine(
              locate(namespace, each.getTopic()),
              (places, partition) -> {
                places.computeIfAbsent(partition, p -> new ArrayList<>()).add(item);
                return places;
              });
    }
    return located
        .thenCompose(places -> appendAll(namespace, places, results))
        .thenApply(
            done -> PublishBatchResponse.newBuilder().addAllResults(List.of(results)).build());
  }

  /** An event of a batch and its place in it. */
  private record Item(int index, Publication publication) {}

  private static Item item(int index, EventToPublish each, Fence fence) {
    return new Item(index, new Publication(each.getTopic(), withId(each.getEvent()), fence));
  }

  private CompletionStage<?> appendAll(
      String namespace, Map<Partition, List<Item>> places, PublishResult[] results) {
    List<CompletableFuture<?>> parts = new ArrayList<>();
    places.forEach(
        (partition, items) ->
            parts.add(append(namespace, partition, items, results).toCompletableFuture()));
    return CompletableFuture.allOf(parts.toArray(CompletableFuture<?>[]::new));
  }

  /** Script after script, so that the events of a topic keep their order. */
  private CompletionStage<?> append(
      String namespace, Partition partition, List<Item> items, PublishResult[] results) {
    if (items.isEmpty()) {
      return CompletableFuture.completedFuture(null);
    }
    int count = 0;
    for (int bytes = 0;
        count < items.size() && count < EventStore.MOST_PER_SCRIPT && bytes < MOST_BYTES;
        count++) {
      bytes += items.get(count).publication.event().getSerializedSize();
    }
    List<Item> part = items.subList(0, count);
    return store
        .append(partition, part.stream().map(Item::publication).toList())
        .thenCompose(outcomes -> settle(namespace, partition, part, outcomes, results))
        .handle(
            (done, failure) -> {
              if (failure == null) {
                return items.subList(part.size(), items.size());
              }
              // Where one script fails, the next would too, each after its own time-out.
              items.forEach(item -> results[item.index] = refused(failure));
              return List.<Item>of();
            })
        .thenCompose(rest -> append(namespace, partition, rest, results));
  }

  private CompletionStage<?> settle(
      String namespace,
      Partition partition,
      List<Item> part,
      List<Outcome> outcomes,
      PublishResult[] results) {
    CompletionStage<?> replicated =
        outcomes.stream().anyMatch(Publishing::isReplicated)
            ? replicas.acknowledged(partition)
            : CompletableFuture.completedFuture(null);
    return replicated.handle(
        (done, failure) -> {
          for (int i = 0; i < part.size(); i++) {
            Item item = part.get(i);
            Outcome outcome = outcomes.get(i);
            results[item.index] =
                failure != null && isReplicated(outcome)
                    ? refused(failure)
                    : result(namespace, item.publication, outcome);
          }
          return null;
        });
  }

  private static PublishResult result(String namespace, Publication publication, Outcome outcome) {
    try {
      return published(response(namespace, publication, outcome));
    } catch (TroupeException refusal) {
      return refused(refusal);
    }
  }

  static PublishResult published(PublishResponse response) {
    return PublishResult.newBuilder().setPublished(response).build();
  }

  static PublishResult refused(Throwable failure) {
    return PublishResult.newBuilder().setError(StatusMapper.toItemError(failure)).build();
  }
}
