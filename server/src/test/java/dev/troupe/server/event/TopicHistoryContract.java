package dev.troupe.server.event;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.util.Timestamps;
import dev.troupe.v1.Event;
import dev.troupe.v1.EventDelivery;
import dev.troupe.v1.EventFilter;
import dev.troupe.v1.ListEventsRequest;
import dev.troupe.v1.ListEventsResponse;
import dev.troupe.v1.SlowPolicy;
import dev.troupe.v1.StartPosition;
import dev.troupe.v1.SubscribeRequest;
import dev.troupe.v1.SubscribeResponse;
import dev.troupe.v1.SubscribeResponse.MessageCase;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * A subscription to known topics reads what these keep, also where the log keeps less, and goes on
 * live: all of it, once and in order. On whatever Redis.
 */
abstract class TopicHistoryContract extends TopicHistoryFixture {

  @Test
  void fromTheBeginningAllThatATopicKeepsComesAndThenWhatIsNew() throws Exception {
    String neighbour = neighbour("build", 1);
    for (int i = 0; i < 300; i++) {
      publish("build", i);
      publish(neighbour, i);
    }
    trim("build", 11);
    try (Subscriber subscriber = subscribe(fromBeginning("build"))) {
      assertThat(texts(history(subscriber))).isEqualTo(numbers(0, 300));
      for (int i = 300; i < 310; i++) {
        publish("build", i);
      }
      assertThat(texts(subscriber.deliveries(10))).isEqualTo(numbers(300, 310));
    }
  }

  @Test
  void whatATopicKeepsIsDeliveredAsItWasFromTheLog() throws Exception {
    publish("build", event("1").setSubject("s").putAttributes("a", "b").setKey("k"));
    List<EventDelivery> fromLog = beginning("build");
    publish("build", 2);
    trim("build", 1);
    assertThat(beginning("build").get(0)).isEqualTo(fromLog.get(0));
  }

  @Test
  void aLogTrimmedToNothingIsNoneTheLess() throws Exception {
    for (int i = 0; i < 20; i++) {
      publish("build", i);
    }
    trim("build", 0);
    try (Subscriber subscriber = subscribe(fromBeginning("build"))) {
      assertThat(texts(history(subscriber))).isEqualTo(numbers(0, 20));
      publish("build", 20);
      assertThat(texts(subscriber.deliveries(1))).containsExactly("20");
    }
  }

  @Test
  void severalTopicsOfAPartitionComeInTheOrderOfItsLog() throws Exception {
    String second = neighbour("build", 1);
    String third = neighbour("build", 2);
    String elsewhere = stranger("build");
    List<String> topics = List.of("build", second, third, elsewhere);
    for (int i = 0; i < 200; i++) {
      // In runs of several lengths, so that one has to wait for another.
      publish(topics.get(i / 7 % 3 == 0 ? i % 2 : i % 4), i);
    }
    trim("build", 5);
    trim(elsewhere, 3);
    SubscribeRequest.Builder request = fromBeginning("build");
    request.addTopics(second).addTopics(third).addTopics(elsewhere);
    try (Subscriber subscriber = subscribe(request)) {
      List<EventDelivery> all = history(subscriber);
      assertThat(texts(all)).containsExactlyInAnyOrderElementsOf(numbers(0, 200));
      List<EventDelivery> here =
          all.stream().filter(each -> !each.getTopic().equals(elsewhere)).toList();
      assertThat(here).extracting(EventDelivery::getPosition).isSorted();
      assertThat(texts(here)).extracting(Integer::valueOf).isSorted();
    }
  }

  @Test
  void manyTopicsComeInOrderToo() throws Exception {
    List<String> topics = IntStream.range(0, 64).mapToObj(i -> neighbour("build", i)).toList();
    for (int i = 0; i < 256; i++) {
      publish(topics.get(i * 31 % 64), i);
    }
    trim("build", 2);
    SubscribeRequest.Builder request = fromBeginning().addAllTopics(topics);
    try (Subscriber subscriber = subscribe(request)) {
      assertThat(texts(history(subscriber))).isEqualTo(numbers(0, 256));
    }
  }

  @Test
  void largeEventsComeToo() throws Exception {
    String padding = "x".repeat(200_000);
    for (int i = 0; i < 20; i++) {
      publish("build", event(i + " " + padding));
    }
    trim("build", 2);
    assertThat(texts(beginning("build")))
        .isEqualTo(numbers(0, 20).stream().map(each -> each + " " + padding).toList());
  }

  @Test
  void ofManyTopicsWithEventsOfAllSizesComesAllInOrder() throws Exception {
    List<String> topics = IntStream.range(0, 64).mapToObj(i -> neighbour("build", i)).toList();
    List<String> expected = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      int size = i % 5 == 0 ? 100_000 : i % 3 == 0 ? 20_000 : 10;
      String text = i + " " + "x".repeat(size);
      // Those named last have the oldest events, then those named first.
      publish(topics.get(i < 64 ? 63 - i : i % 64), event(text));
      expected.add(text);
    }
    trim("build", 2);
    SubscribeRequest.Builder all = fromBeginning().addAllTopics(topics);
    try (Subscriber subscriber = subscribe(all)) {
      assertThat(texts(history(subscriber))).isEqualTo(expected);
    }
    SubscribeRequest.Builder last = request().addAllTopics(topics).setLast(150);
    try (Subscriber subscriber = subscribe(last)) {
      assertThat(texts(history(subscriber))).isEqualTo(expected.subList(50, 200));
    }
  }

  @Test
  void aTokenOlderThanTheLogResumesWithoutAGap() throws Exception {
    String token = publish("build", 0).getResumeToken();
    for (int i = 1; i < 100; i++) {
      publish("build", i);
    }
    trim("build", 5);
    try (Subscriber subscriber = subscribe(request("build").setResumeToken(token))) {
      assertThat(texts(history(subscriber))).isEqualTo(numbers(1, 100));
    }
  }

  @Test
  void everyTokenFromHistoryResumesRightAfterItsEvent() throws Exception {
    String second = neighbour("build", 1);
    for (int i = 0; i < 30; i++) {
      publish(i % 3 == 0 ? second : "build", i);
    }
    trim("build", 4);
    SubscribeRequest.Builder both = request("build").addTopics(second);
    List<String> tokens = new ArrayList<>();
    SubscribeRequest.Builder fromBeginning =
        both.clone().setStart(StartPosition.START_POSITION_BEGINNING).setMaxBatchSize(1);
    try (Subscriber subscriber = subscribe(fromBeginning)) {
      tokens.add(subscriber.next().getStarted().getResumeToken());
      for (int i = 0; i < 30; i++) {
        tokens.add(subscriber.next(MessageCase.BATCH).getBatch().getResumeToken());
      }
      tokens.add(subscriber.next(MessageCase.CAUGHT_UP).getCaughtUp().getResumeToken());
    }
    for (int i = 0; i < tokens.size(); i++) {
      int read = Math.min(i, 30);
      try (Subscriber resumed = subscribe(both.clone().setResumeToken(tokens.get(i)))) {
        assertThat(texts(history(resumed))).isEqualTo(numbers(read, 30));
      }
    }
  }

  @Test
  void aPageOfAListingIsFollowedByTheRest() throws Exception {
    for (int i = 0; i < 40; i++) {
      publish("build", i);
    }
    trim("build", 3);
    ListEventsResponse page =
        harness.blocking.listEvents(
            ListEventsRequest.newBuilder()
                .setNamespace(namespace)
                .setTopic("build")
                .setPageSize(10)
                .build());
    SubscribeRequest.Builder rest = request("build").setResumeToken(page.getResumeToken());
    try (Subscriber subscriber = subscribe(rest)) {
      assertThat(texts(history(subscriber))).isEqualTo(numbers(10, 40));
    }
  }

  @Test
  void aTimeFromBeforeTheLogIsBegunAt() throws Exception {
    List<Long> times = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      publish("build", i);
      times.add(accepted("build"));
      awaitNextMillisecond(times.get(i));
    }
    trim("build", 5);
    for (int i : List.of(0, 1, 7, 14, 15, 16, 19)) {
      SubscribeRequest.Builder at =
          request("build").setStartTime(Timestamps.fromMillis(times.get(i)));
      try (Subscriber subscriber = subscribe(at)) {
        assertThat(texts(history(subscriber))).isEqualTo(numbers(i, 20));
      }
    }
    SubscribeRequest.Builder past =
        fromBeginning("build").setEndTime(Timestamps.fromMillis(times.get(7)));
    String token;
    try (Subscriber subscriber = subscribe(past)) {
      List<SubscribeResponse> all = subscriber.toTheEnd();
      assertThat(texts(deliveries(all))).isEqualTo(numbers(0, 7));
      token = all.get(all.size() - 1).getCheckpoint().getResumeToken();
    }
    try (Subscriber rest = subscribe(request("build").setResumeToken(token))) {
      assertThat(texts(history(rest))).isEqualTo(numbers(7, 20));
    }
  }

  @Test
  void anEndThatIsNowComesAlsoWhenTheLogHasNothing() throws Exception {
    String neighbour = neighbour("build", 1);
    for (int i = 0; i < 5; i++) {
      publish("build", i);
    }
    publish(neighbour, 0);
    long last = accepted(neighbour);
    trim("build", 0);
    awaitNextMillisecond(last);
    SubscribeRequest.Builder past =
        fromBeginning("build").setEndTime(Timestamps.fromMillis(last + 1));
    try (Subscriber subscriber = subscribe(past)) {
      assertThat(texts(deliveries(subscriber.toTheEnd()))).isEqualTo(numbers(0, 5));
    }
  }

  @Test
  void theLastEventsAreFoundBeforeTheLogToo() throws Exception {
    String elsewhere = stranger("build");
    for (int i = 0; i < 40; i++) {
      Event.Builder event = event("" + i).setType(i % 5 == 0 ? "fifth" : "y");
      String topic = i % 4 == 0 ? elsewhere : "build";
      publish(topic, event);
      // Partitions are told apart by time alone.
      awaitNextMillisecond(accepted(topic));
    }
    trim("build", 3);
    trim(elsewhere, 1);
    assertThat(last(2, "build", elsewhere)).isEqualTo(numbers(38, 40));
    assertThat(last(25, "build", elsewhere)).isEqualTo(numbers(15, 40));
    assertThat(last(10_000, "build", elsewhere)).isEqualTo(numbers(0, 40));
    assertThat(last(3, "build")).containsExactly("37", "38", "39");
    SubscribeRequest.Builder fifths =
        request("build")
            .addTopics(elsewhere)
            .setFilter(EventFilter.newBuilder().addTypes("fifth"))
            .setLast(3);
    try (Subscriber subscriber = subscribe(fifths)) {
      assertThat(sorted(history(subscriber))).containsExactly("25", "30", "35");
    }
  }

  private List<String> last(int count, String... topics) throws Exception {
    SubscribeRequest.Builder request = request(topics).setLast(count);
    try (Subscriber subscriber = subscribe(request)) {
      return sorted(history(subscriber));
    }
  }

  private static List<String> sorted(List<EventDelivery> deliveries) {
    return texts(deliveries).stream().map(Integer::valueOf).sorted().map(String::valueOf).toList();
  }

  @Test
  void aReaderThatFellBehindTheLogItselfCatchesUp() throws Exception {
    publish("build", event("first"));
    SubscribeRequest request =
        request("build").setSlowPolicy(SlowPolicy.SLOW_POLICY_CATCH_UP).build();
    try (Subscriber slow = new Subscriber(harness.stub, request, false)) {
      slow.ask(2);
      slow.next(MessageCase.CAUGHT_UP);
      try (Subscriber witness = subscribe(request("build"))) {
        witness.next(MessageCase.CAUGHT_UP);
        for (int i = 0; i < 1_000; i++) {
          publish("build", i);
        }
        witness.deliveries(1_000);
      }
      trim("build", 2);
      slow.ask(1_000_000);
      slow.next(MessageCase.FELL_BEHIND);
      assertThat(texts(history(slow))).isEqualTo(numbers(0, 1_000));
    }
  }

  @Test
  void whileMuchIsPublishedAndTheLogIsShortEverybodyGetsAllOnce() throws Exception {
    int events = 1_500;
    String second = neighbour("build", 1);
    AtomicBoolean published = new AtomicBoolean();
    CompletableFuture<Void> publisher =
        CompletableFuture.runAsync(
            () -> {
              for (int i = 0; i < events; i++) {
                publish(i % 3 == 0 ? second : "build", i);
              }
              published.set(true);
            });
    CompletableFuture<Void> trimmer =
        CompletableFuture.runAsync(
            () -> {
              for (int left = 0; !published.get(); left = (left + 1) % 5) {
                trim("build", left);
              }
            });
    List<Subscriber> subscribers = new ArrayList<>();
    List<List<String>> got = new ArrayList<>();
    try {
      while (!published.get() && subscribers.size() < 40) {
        SubscribeRequest request = fromBeginning("build", second).setMaxBatchSize(16).build();
        Subscriber subscriber = new Subscriber(harness.stub, request, subscribers.size() % 2 == 0);
        subscribers.add(subscriber);
        got.add(new ArrayList<>());
        // Others take their messages one by one and so are overtaken by the log.
        take(subscriber, got.get(got.size() - 1), 20);
      }
      publisher.get(60, TimeUnit.SECONDS);
      trimmer.get(60, TimeUnit.SECONDS);
      assertThat(subscribers).hasSizeGreaterThan(5);
      for (int i = 0; i < subscribers.size(); i++) {
        take(subscribers.get(i), got.get(i), events);
        assertThat(got.get(i)).as("subscriber " + i).isEqualTo(numbers(0, events));
      }
    } finally {
      subscribers.forEach(Subscriber::close);
    }
  }

  private static void take(Subscriber subscriber, List<String> got, int until) throws Exception {
    while (got.size() < until) {
      subscriber.ask(1);
      SubscribeResponse message = subscriber.next();
      assertThat(message.hasGap()).as("a gap after " + got.size()).isFalse();
      got.addAll(texts(message.getBatch().getDeliveriesList()));
    }
  }
}
