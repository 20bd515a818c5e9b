package dev.troupe.server.event.history;

import com.google.protobuf.ByteString;
import dev.troupe.v1.Event;
import dev.troupe.v1.EventStreamServiceGrpc;
import dev.troupe.v1.EventStreamServiceGrpc.EventStreamServiceBlockingStub;
import dev.troupe.v1.EventToPublish;
import dev.troupe.v1.PublishBatchRequest;
import dev.troupe.v1.PublishBatchResponse;
import dev.troupe.v1.PublishRequest;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * Publishes events one after the other, some in batches, through whichever server answers. What was
 * not answered is published again, under the same id, until it is.
 */
final class Publisher implements Runnable {

  private static final int MOST_TRIES = 200;

  private final String name;
  private final String namespace;
  private final List<String> topics;
  private final List<ManagedChannel> servers;
  private final int events;
  private final Set<Seen.Event> accepted;
  private final Random random;
  private int published;

  /**
   * Prepares one.
   *
   * @param accepted gets what it was told to be accepted
   */
  Publisher(
      String name,
      String namespace,
      List<String> topics,
      List<ManagedChannel> servers,
      int events,
      Set<Seen.Event> accepted,
      long seed) {
    this.name = name;
    this.namespace = namespace;
    this.topics = topics;
    this.servers = servers;
    this.events = events;
    this.accepted = accepted;
    this.random = new Random(seed);
  }

  @Override
  public void run() {
    while (published < events) {
      List<EventToPublish> some = new ArrayList<>();
      int count = random.nextInt(4) == 0 ? 1 + random.nextInt(12) : 1;
      for (int i = 0; i < count; i++) {
        some.add(next());
      }
      publish(some);
    }
  }

  private EventToPublish next() {
    int number = published++;
    byte[] data = new byte[random.nextInt(10) == 0 ? 5000 : 20];
    random.nextBytes(data);
    return EventToPublish.newBuilder()
        .setTopic(topics.get(random.nextInt(topics.size())))
        .setEvent(
            Event.newBuilder()
                .setId(Integer.toString(number))
                .setSource(name)
                .setType(number % 3 == 0 ? "third" : "other")
                .setBinaryData(ByteString.copyFrom(data)))
        .build();
  }

  private void publish(List<EventToPublish> some) {
    for (int i = 0; i < MOST_TRIES; i++) {
      EventStreamServiceBlockingStub server =
          EventStreamServiceGrpc.newBlockingStub(servers.get(random.nextInt(servers.size())))
              .withDeadlineAfter(3, TimeUnit.SECONDS)
              .withWaitForReady();
      try {
        if (publishOnce(server, some)) {
          some.forEach(
              one -> accepted.add(new Seen.Event(one.getTopic(), name, one.getEvent().getId())));
          return;
        }
      } catch (StatusRuntimeException unanswered) {
        // Whether it was appended is not known; the next try finds out.
      }
    }
    throw new IllegalStateException(name + ": no server takes " + some);
  }

  private boolean publishOnce(EventStreamServiceBlockingStub server, List<EventToPublish> some) {
    if (some.size() > 1) {
      PublishBatchResponse answer =
          server.publishBatch(
              PublishBatchRequest.newBuilder().setNamespace(namespace).addAllEvents(some).build());
      return answer.getResultsList().stream().noneMatch(result -> result.hasError());
    }
    return !server
        .publish(
            PublishRequest.newBuilder()
                .setNamespace(namespace)
                .setTopic(some.get(0).getTopic())
                .setEvent(some.get(0).getEvent())
                .build())
        .getEventId()
        .isEmpty();
  }
}
