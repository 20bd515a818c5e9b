package dev.troupe.server.event;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.util.Timestamps;
import dev.troupe.server.redis.Partition;
import dev.troupe.v1.CreateTopicRequest;
import dev.troupe.v1.DeleteTopicRequest;
import dev.troupe.v1.Event;
import dev.troupe.v1.EventBatch;
import dev.troupe.v1.EventDelivery;
import dev.troupe.v1.ListEventsRequest;
import dev.troupe.v1.PublishRequest;
import dev.troupe.v1.PublishResponse;
import dev.troupe.v1.StartPosition;
import dev.troupe.v1.SubscribeRequest;
import dev.troupe.v1.SubscribeResponse;
import dev.troupe.v1.TopicSettings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.redisson.api.stream.StreamTrimArgs;

/** What tests of subscriptions say that read from topics what the log no longer has. */
@SuppressWarnings("NullAway.Init")
abstract class TopicHistoryFixture extends EventContract {

  EventHarness harness;

  @BeforeEach
  void open() throws Exception {
    harness = new EventHarness(redis, Duration.ofMinutes(1), Duration.ofMinutes(1), 1 << 16);
  }

  @AfterEach
  void close() {
    harness.close();
  }

  /** One whose memory has nothing of the log yet. */
  void anotherServer() throws Exception {
    harness.close();
    harness = new EventHarness(redis, Duration.ofMinutes(1), Duration.ofMinutes(1), 1 << 16);
  }

  /** What comes before it is caught up, all of which continues what came before. */
  static List<EventDelivery> history(Subscriber subscriber) throws Exception {
    List<EventDelivery> all = new ArrayList<>();
    Map<Integer, Long> read = new HashMap<>();
    SubscribeResponse message = subscriber.next();
    while (!message.hasCaughtUp()) {
      assertThat(message.hasGap()).as("a gap: %s", message).isFalse();
      if (message.hasBatch()) {
        EventBatch batch = message.getBatch();
        Long before = read.put(batch.getPartition(), batch.getReadPosition());
        assertThat(batch.getPreviousPosition())
            .isEqualTo(before == null ? batch.getPreviousPosition() : before)
            .isLessThan(batch.getDeliveries(0).getPosition());
        all.addAll(batch.getDeliveriesList());
      }
      message = subscriber.next();
    }
    return all;
  }

  List<EventDelivery> beginning(String... topics) throws Exception {
    try (Subscriber subscriber = subscribe(fromBeginning(topics))) {
      return history(subscriber);
    }
  }

  static List<EventDelivery> deliveries(List<SubscribeResponse> messages) {
    return messages.stream().flatMap(each -> each.getBatch().getDeliveriesList().stream()).toList();
  }

  long accepted(String topic) {
    return Timestamps.toMillis(newest(topic).getAcceptTime());
  }

  EventDelivery newest(String topic) {
    ListEventsRequest request =
        ListEventsRequest.newBuilder()
            .setNamespace(namespace)
            .setTopic(topic)
            .setNewestFirst(true)
            .setPageSize(1)
            .build();
    return harness.blocking.listEvents(request).getDeliveries(0);
  }

  void create(String topic, TopicSettings.Builder settings) {
    harness.blocking.createTopic(
        CreateTopicRequest.newBuilder()
            .setNamespace(namespace)
            .setTopic(topic)
            .setSettings(settings)
            .build());
  }

  void delete(String topic) {
    harness.blocking.deleteTopic(
        DeleteTopicRequest.newBuilder().setNamespace(namespace).setTopic(topic).build());
  }

  PublishResponse publish(String topic, int number) {
    return publish(topic, event("" + number));
  }

  PublishResponse publish(String topic, Event.Builder event) {
    return harness.blocking.publish(
        PublishRequest.newBuilder()
            .setNamespace(namespace)
            .setTopic(topic)
            .setEvent(event)
            .build());
  }

  static Event.Builder event(String text) {
    return Event.newBuilder().setType("y").setTextData(text);
  }

  void trim(String topic, int left) {
    redis
        .commands()
        .getStream(new String(partition(topic).logKey(), UTF_8))
        .trim(StreamTrimArgs.maxLen(left).noLimit());
  }

  void awaitNextMillisecond(long millis) {
    long far = Long.MAX_VALUE / 2;
    Awaitility.await()
        .pollInterval(Duration.ofMillis(1))
        .until(
            () ->
                far
                        - harness
                            .logs
                            .until(partition("build"), far)
                            .toCompletableFuture()
                            .get()
                            .leftMillis()
                    > millis);
  }

  Partition partition(String topic) {
    return EventHarness.NAMESPACES.locate(namespace, topic).toCompletableFuture().join();
  }

  /** Another topic in the partition of one. */
  String neighbour(String topic, int number) {
    return other(topic, true).skip(number).findFirst().orElseThrow();
  }

  /** A topic in another partition than one. */
  String stranger(String topic) {
    return other(topic, false).findFirst().orElseThrow();
  }

  Stream<String> other(String topic, boolean same) {
    return Stream.iterate(0, i -> i + 1)
        .map(i -> "topic-" + i)
        .filter(each -> partition(each).equals(partition(topic)) == same);
  }

  SubscribeRequest.Builder request(String... topics) {
    return SubscribeRequest.newBuilder().setNamespace(namespace).addAllTopics(List.of(topics));
  }

  SubscribeRequest.Builder fromBeginning(String... topics) {
    return request(topics).setStart(StartPosition.START_POSITION_BEGINNING);
  }

  Subscriber subscribe(SubscribeRequest.Builder request) {
    return new Subscriber(harness.stub, request.build(), true);
  }

  static List<String> numbers(int from, int to) {
    return IntStream.range(from, to).mapToObj(String::valueOf).toList();
  }

  static List<String> texts(List<EventDelivery> deliveries) {
    return deliveries.stream().map(each -> each.getEvent().getTextData()).toList();
  }
}
