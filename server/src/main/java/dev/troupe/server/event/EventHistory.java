package dev.troupe.server.event;

import com.google.inject.Inject;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Timestamp;
import com.google.protobuf.util.Timestamps;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.event.EventStore.Outcome;
import dev.troupe.server.event.EventStore.Outcome.Fenced;
import dev.troupe.server.event.EventStore.Outcome.Published;
import dev.troupe.server.event.TopicStore.EventPage;
import dev.troupe.server.event.TopicStore.KeptEvent;
import dev.troupe.server.grpc.Names;
import dev.troupe.server.grpc.PageTokens;
import dev.troupe.server.grpc.RequestDigest;
import dev.troupe.server.log.PartitionLogs.LogHead;
import dev.troupe.server.log.ResumePoint;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.Replicas;
import dev.troupe.v1.Event;
import dev.troupe.v1.EventDelivery;
import dev.troupe.v1.ListEventsRequest;
import dev.troupe.v1.ListEventsResponse;
import dev.troupe.v1.ReplayEventsRequest;
import dev.troupe.v1.ReplayEventsResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Reads what topics keep, page by page, and appends it to other topics. Thread-safe. */
final class EventHistory {

  private static final int USUAL_PAGE = 50;
  private static final int AT_ONCE = 64;

  /** Looked at for one page, also when few of them match. */
  private static final int MOST_LOOKED_AT = 2_048;

  /** With the largest event behind it, still below the 4 MiB that gRPC clients take. */
  private static final int PAGE_BYTES = 1 << 20;

  private final TopicStore topics;
  private final EventStore events;
  private final Replicas replicas;

  @Inject
  EventHistory(TopicStore topics, EventStore events, Replicas replicas) {
    this.topics = topics;
    this.events = events;
    this.replicas = replicas;
  }

  CompletionStage<ListEventsResponse> list(ListEventsRequest request) {
    TopicChecks.list(request);
    String namespace = Names.namespace(request.getNamespace());
    ListEventsRequest rest = request.toBuilder().clearPageToken().clearPageSize().build();
    String arguments = "events\n" + RequestDigest.of("page", rest);
    String after = PageTokens.read(arguments, request.getPageToken());
    return topics
        .locate(namespace, request.getTopic())
        .thenCompose(partition -> new Page(namespace, request, partition, arguments).fill(after));
  }

  /** One page, filled by as many reads as it takes. */
  private final class Page {

    private final String namespace;
    private final ListEventsRequest request;
    private final Partition partition;
    private final String arguments;
    private final EventSelector filter;
    private final int most;
    private final ListEventsResponse.Builder response = ListEventsResponse.newBuilder();
    private int lookedAt;
    private int bytes;

    Page(String namespace, ListEventsRequest request, Partition partition, String arguments) {
      this.namespace = namespace;
      this.request = request;
      this.partition = partition;
      this.arguments = arguments;
      this.filter = new EventSelector(request.getFilter());
      this.most = request.getPageSize() == 0 ? USUAL_PAGE : request.getPageSize();
    }

    CompletionStage<ListEventsResponse> fill(String after) {
      String oldest = request.hasStartTime() ? from(request.getStartTime()) : "-";
      String newest = request.hasEndTime() ? before(request.getEndTime()) : "+";
      boolean reverse = request.getNewestFirst();
      String begin = reverse ? newest : oldest;
      return topics
          .read(
              partition,
              request.getTopic(),
              reverse,
              after.isEmpty() ? begin : "(" + after,
              reverse ? oldest : newest,
              AT_ONCE)
          .thenCompose(this::add);
    }

    private CompletionStage<ListEventsResponse> add(EventPage page) {
      if (page.events().isEmpty()) {
        return CompletableFuture.completedFuture(response.build());
      }
      String last = "";
      for (KeptEvent kept : page.events()) {
        last = kept.at().id();
        lookedAt++;
        Event event = parse(kept);
        if (filter.matches(event)) {
          response.addDeliveries(delivery(kept, event));
          if (!request.getNewestFirst()) {
            response.setResumeToken(token(kept, page.epoch()));
          }
          bytes += kept.event().size();
        }
        if (response.getDeliveriesCount() == most || bytes >= PAGE_BYTES) {
          return CompletableFuture.completedFuture(endingBehind(last));
        }
      }
      return lookedAt >= MOST_LOOKED_AT
          ? CompletableFuture.completedFuture(endingBehind(last))
          : fill(last);
    }

    private ListEventsResponse endingBehind(String id) {
      return response.setNextPageToken(PageTokens.make(arguments, id)).build();
    }

    private String token(KeptEvent kept, long epoch) {
      Map<Integer, LogHead> at = Map.of(partition.index(), new LogHead(kept.at(), epoch));
      return ResumePoint.of(namespace, EventStarts.purpose(List.of(request.getTopic())), at)
          .token();
    }

    private EventDelivery delivery(KeptEvent kept, Event event) {
      return EventDelivery.newBuilder()
          .setTopic(request.getTopic())
          .setEvent(event)
          .setAcceptTime(Timestamps.fromMillis(kept.at().millis()))
          .setPosition(kept.at().sequence())
          .setTopicPosition(kept.topicPosition())
          .build();
    }
  }

  CompletionStage<ReplayEventsResponse> replay(ReplayEventsRequest request) {
    TopicChecks.replay(request);
    String namespace = Names.namespace(request.getNamespace());
    ReplayEventsRequest rest = request.toBuilder().clearPageToken().clearFence().build();
    String arguments = "replay\n" + RequestDigest.of("page", rest);
    // Up to where, and behind which event to go on.
    String[] place = PageTokens.read(arguments, request.getPageToken()).split("\n", -1);
    boolean first = place.length < 2;
    String given = request.hasEndTime() ? before(request.getEndTime()) : "+";
    String begin = request.hasStartTime() ? from(request.getStartTime()) : "-";
    return topics
        .locate(namespace, request.getTopic())
        .thenCompose(
            partition ->
                topics.read(
                    partition,
                    request.getTopic(),
                    false,
                    first ? begin : "(" + place[1],
                    first ? given : place[0],
                    AT_ONCE))
        .thenCompose(
            page -> {
              String now = Long.toString(page.nowMicros() / 1000);
              String end = first ? (given.equals("+") ? now : given) : place[0];
              return append(namespace, request, page, arguments, end);
            });
  }

  private CompletionStage<ReplayEventsResponse> append(
      String namespace, ReplayEventsRequest request, EventPage page, String arguments, String end) {
    ReplayEventsResponse.Builder response = ReplayEventsResponse.newBuilder();
    if (page.events().isEmpty()) {
      return CompletableFuture.completedFuture(response.build());
    }
    EventSelector filter = new EventSelector(request.getFilter());
    List<Publication> step = new ArrayList<>();
    for (KeptEvent kept : page.events()) {
      Event event = parse(kept);
      if (filter.matches(event)) {
        step.add(new Publication(request.getToTopic(), event, request.getFence()));
      }
    }
    String last = page.events().get(page.events().size() - 1).at().id();
    response.setNextPageToken(PageTokens.make(arguments, end + "\n" + last));
    return events
        .locate(namespace, request.getToTopic())
        .thenCompose(
            partition ->
                events
                    .append(partition, step)
                    .thenCompose(outcomes -> replicated(partition, outcomes)))
        .thenApply(
            outcomes -> {
              for (Outcome outcome : outcomes) {
                count(outcome, response);
              }
              return response.build();
            });
  }

  private CompletionStage<List<Outcome>> replicated(Partition partition, List<Outcome> outcomes) {
    boolean wanted =
        outcomes.stream().anyMatch(outcome -> outcome instanceof Published one && one.replicated());
    return wanted
        ? replicas.acknowledged(partition).thenApply(done -> outcomes)
        : CompletableFuture.completedFuture(outcomes);
  }

  private static void count(Outcome outcome, ReplayEventsResponse.Builder response) {
    if (outcome instanceof Published published) {
      if (published.duplicate()) {
        response.setDuplicates(response.getDuplicates() + 1);
      } else {
        response.setAppended(response.getAppended() + 1);
      }
    } else if (outcome instanceof Fenced fenced) {
      throw TroupeException.staleFence(fenced.highestToken());
    } else {
      throw TopicCodec.tooManyTopics();
    }
  }

  private static Event parse(KeptEvent kept) {
    try {
      return Event.parseFrom(kept.event());
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("an event of a topic cannot be decoded: " + kept.at(), e);
    }
  }

  /** The first id accepted at or after a time; ids count in milliseconds. */
  private static String from(Timestamp time) {
    return Long.toString(Math.max(0, millis(time)));
  }

  /** The last millisecond that is wholly before a time. */
  private static String before(Timestamp time) {
    long end = millis(time) - 1;
    // No entry has the id 0-0.
    return end < 0 ? "0-0" : Long.toString(end);
  }

  /** Rounded up. */
  private static long millis(Timestamp time) {
    return time.getSeconds() * 1000 + (time.getNanos() + 999_999) / 1_000_000;
  }
}
