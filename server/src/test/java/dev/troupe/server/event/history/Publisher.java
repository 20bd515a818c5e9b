package dev.troupe.server.event.history;

import com.google.protobuf.ByteString;
import dev.troupe.server.grpc.Outage;
import dev.troupe.v1.Event;
import dev.troupe.v1.EventStreamServiceGrpc;
import dev.troupe.v1.EventStreamServiceGrpc.EventStreamServiceBlockingStub;
import dev.troupe.v1.EventToPublish;
import dev.troupe.v1.PublishBatchRequest;
import dev.troupe.v1.PublishBatchResponse;
import dev.troupe.v1.PublishRequest;
import dev.troupe.v1.PublishResult;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * Publishes events one after the other, some in batches, at a pace, through whichever server
 * answers. What was not answered is published again, under the same id, until it is.
 */
final class Publisher implements Runnable {

  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int MOST_KEYS = 5;

  private final String name;
  private final String namespace;
  private final List<String> topics;
  private final List<ManagedChannel> servers;
  private final int paceMillis;
  private final BooleanSupplier goOn;
  private final Published published;
  private final Random random;
  private int number;

  /**
   * Prepares one.
   *
   * @param paceMillis between one call and the next, on average
   * @param published is told of each event
   */
  Publisher(
      String name,
      String namespace,
      List<String> topics,
      List<ManagedChannel> servers,
      int paceMillis,
      BooleanSupplier goOn,
      Published published,
      long seed) {
    this.name = name;
    this.namespace = namespace;
    this.topics = topics;
    this.servers = servers;
    this.paceMillis = paceMillis;
    this.goOn = goOn;
    this.published = published;
    this.random = new Random(seed);
  }

  @Override
  public void run() {
    while (goOn.getAsBoolean()) {
      List<EventToPublish> some = new ArrayList<>();
      int count = random.nextInt(4) == 0 ? 1 + random.nextInt(12) : 1;
      for (int i = 0; i < count; i++) {
        some.add(next());
      }
      publish(some);
      Pause.millis(random.nextInt(2 * paceMillis));
    }
  }

  private EventToPublish next() {
    // Some so large that what a server has in memory is soon left behind by whoever is slow.
    byte[] data = new byte[random.nextInt(4) == 0 ? 5000 : 20];
    random.nextBytes(data);
    int key = random.nextInt(MOST_KEYS);
    return EventToPublish.newBuilder()
        .setTopic(topics.get(random.nextInt(topics.size())))
        .setEvent(
            Event.newBuilder()
                .setId(Integer.toString(number))
                .setSource(name)
                .setType(number++ % 3 == 0 ? "third" : "other")
                .setKey(key == 0 ? "" : "key-" + key)
                .setBinaryData(ByteString.copyFrom(data)))
        .build();
  }

  private void publish(List<EventToPublish> some) {
    some.forEach(one -> published.tried(name(one)));
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (System.nanoTime() < end) {
      EventStreamServiceBlockingStub server =
          EventStreamServiceGrpc.newBlockingStub(servers.get(random.nextInt(servers.size())))
              .withDeadlineAfter(1, TimeUnit.SECONDS);
      long triedNanos = System.nanoTime();
      try {
        if (publishOnce(server, some)) {
          some.forEach(
              one ->
                  published.accepted(
                      name(one), Integer.parseInt(one.getEvent().getId()), triedNanos));
          return;
        }
      } catch (StatusRuntimeException unanswered) {
        boolean late = unanswered.getStatus().getCode() == Status.Code.DEADLINE_EXCEEDED;
        if (!late && !Outage.explains(unanswered)) {
          throw unanswered;
        }
        // Whether it was appended is not known; the next try finds out.
      }
      Pause.millis(20);
    }
    throw new IllegalStateException(name + ": no server takes " + some);
  }

  private EventName name(EventToPublish one) {
    return new EventName(one.getTopic(), name, one.getEvent().getId());
  }

  private boolean publishOnce(EventStreamServiceBlockingStub server, List<EventToPublish> some) {
    if (some.size() > 1) {
      PublishBatchResponse answer =
          server.publishBatch(
              PublishBatchRequest.newBuilder().setNamespace(namespace).addAllEvents(some).build());
      if (answer.getResultsCount() != some.size()) {
        throw new IllegalStateException(some.size() + " events, answered by " + answer);
      }
      return answer.getResultsList().stream().allMatch(PublishResult::hasPublished);
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
