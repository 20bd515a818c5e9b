package dev.troupe.server.event;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.v1.CreateTopicRequest;
import dev.troupe.v1.Event;
import dev.troupe.v1.EventDelivery;
import dev.troupe.v1.EventToPublish;
import dev.troupe.v1.FieldViolation;
import dev.troupe.v1.GetTopicRequest;
import dev.troupe.v1.ListEventsRequest;
import dev.troupe.v1.ListEventsResponse;
import dev.troupe.v1.PublishBatchRequest;
import dev.troupe.v1.PublishRequest;
import dev.troupe.v1.PublishResponse;
import dev.troupe.v1.PublishResult;
import dev.troupe.v1.Topic;
import dev.troupe.v1.TopicSettings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** Two servers with one Redis, a namespace for each test, and what tests of topics say to them. */
@SuppressWarnings("NullAway.Init")
abstract class TopicFixture extends EventContract {

  EventHarness one;
  EventHarness other;

  @BeforeEach
  void open() throws Exception {
    one = new EventHarness(redis, Duration.ofSeconds(15), Duration.ofSeconds(30));
    other = new EventHarness(redis, Duration.ofSeconds(15), Duration.ofSeconds(30));
  }

  @AfterEach
  void close() {
    one.close();
    other.close();
  }

  PublishBatchRequest.Builder batch() {
    return PublishBatchRequest.newBuilder().setNamespace(namespace);
  }

  static EventToPublish item(String topic, String id, String text) {
    return EventToPublish.newBuilder()
        .setTopic(topic)
        .setEvent(Event.newBuilder().setId(id).setSource("s").setType("t").setTextData(text))
        .build();
  }

  PublishRequest request(String topic, String id, String text) {
    return PublishRequest.newBuilder()
        .setNamespace(namespace)
        .setTopic(topic)
        .setEvent(item(topic, id, text).getEvent())
        .build();
  }

  PublishResponse publish(EventHarness harness, String topic, String id, String text) {
    return harness.blocking.publish(request(topic, id, text));
  }

  void create(String topic, TopicSettings.Builder settings) {
    one.blocking.createTopic(
        CreateTopicRequest.newBuilder()
            .setNamespace(namespace)
            .setTopic(topic)
            .setSettings(settings)
            .build());
  }

  Topic topic(String name) {
    return other
        .blocking
        .getTopic(GetTopicRequest.newBuilder().setNamespace(namespace).setTopic(name).build())
        .getTopic();
  }

  ListEventsRequest.Builder list(String topic) {
    return ListEventsRequest.newBuilder().setNamespace(namespace).setTopic(topic);
  }

  List<String> listed(ListEventsRequest.Builder request) {
    return texts(other.blocking.listEvents(request.build()).getDeliveriesList());
  }

  List<EventDelivery> history(String topic) {
    List<EventDelivery> all = new ArrayList<>();
    String token = "";
    do {
      ListEventsResponse page =
          other.blocking.listEvents(list(topic).setPageSize(500).setPageToken(token).build());
      all.addAll(page.getDeliveriesList());
      token = page.getNextPageToken();
    } while (!token.isEmpty());
    return all;
  }

  static List<String> texts(List<EventDelivery> deliveries) {
    return deliveries.stream().map(delivery -> delivery.getEvent().getTextData()).toList();
  }

  static List<String> fields(PublishResult result) {
    return result.getError().getViolationsList().stream().map(FieldViolation::getField).toList();
  }

  static void assertDense(List<EventDelivery> kept) {
    assertThat(kept.stream().map(EventDelivery::getTopicPosition).toList())
        .containsExactlyElementsOf(LongStream.rangeClosed(1, kept.size()).boxed().toList());
  }
}
