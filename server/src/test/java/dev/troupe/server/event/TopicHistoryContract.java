package dev.troupe.server.event;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.util.Timestamps;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.TestRedis;
import dev.troupe.v1.CreateTopicRequest;
import dev.troupe.v1.DeleteTopicRequest;
import dev.troupe.v1.Event;
import dev.troupe.v1.EventBatch;
import dev.troupe.v1.EventDelivery;
import dev.troupe.v1.EventFilter;
import dev.troupe.v1.Gap;
import dev.troupe.v1.GapReason;
import dev.troupe.v1.ListEventsRequest;
import dev.troupe.v1.ListEventsResponse;
import dev.troupe.v1.PublishRequest;
import dev.troupe.v1.PublishResponse;
import dev.troupe.v1.SlowPolicy;
import dev.troupe.v1.StartPosition;
import dev.troupe.v1.SubscribeRequest;
import dev.troupe.v1.SubscribeResponse;
import dev.troupe.v1.SubscribeResponse.MessageCase;
import dev.troupe.v1.TopicSettings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.redisson.api.RMap;
import org.redisson.api.stream.StreamTrimArgs;
import org.redisson.client.codec.StringCodec;

/**
 * A subscription to known topics reads what these keep, also where the log keeps less, and goes on
 * live: all of it, once and in order. On whatever Redis.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@SuppressWarnings("NullAway.Init")
abstract class TopicHistoryContract {

  private TestRedis redis;
  private EventHarness harness;
  private String namespace;

  /** The Redis to test on; closed after the last test. */
  abstract TestRedis redis() throws Exception;

  @BeforeAll
  void startRedis() throws Exception {
    redis = redis();
  }

  @AfterAll
  void stopRedis() throws Exception {
    redis.close();
  }

  @BeforeEach
  void open() throws Exception {
    namespace = "t" + UUID.randomUUID();
    harness = new EventHarness(redis, Duration.ofMinutes(1), Duration.ofMinutes(1), 1 << 16);
  }

  @AfterEach
  void close() {
    harness.close();
  }

  /** One whose memory has nothing of the log yet. */
  private void anotherServer() throws Exception {
    harness.close();
    harness = new EventHarness(redis, Duration.ofMinutes(1), Duration.ofMinutes(1), 1 << 16);
  }

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
  void whatTheTopicHasNotKeptEitherIsAGapUpToWhatItHas() throws Exception {
    create("build", TopicSettings.newBuilder().setMaxEvents(10));
    String token = publish("build", 0).getResumeToken();
    long first = newest("build").getPosition();
    for (int i = 1; i < 31; i++) {
      publish("build", i);
    }
    trim("build", 3);
    String after;
    try (Subscriber subscriber = subscribe(request("build").setResumeToken(token))) {
      subscriber.next(MessageCase.STARTED);
      Gap gap = subscriber.next().getGap();
      assertThat(gap.getReason()).isEqualTo(GapReason.GAP_REASON_TRIMMED);
      assertThat(gap.getMissed()).isEqualTo(20);
      assertThat(gap.getFromPosition()).isEqualTo(first);
      assertThat(gap.getToPosition()).isEqualTo(first + 20);
      after = gap.getResumeToken();
      EventBatch batch = subscriber.next(MessageCase.BATCH).getBatch();
      assertThat(batch.getPreviousPosition()).isEqualTo(gap.getToPosition());
      assertThat(batch.getDeliveries(0).getPosition()).isEqualTo(gap.getToPosition() + 1);
      assertThat(texts(batch.getDeliveriesList())).isEqualTo(numbers(21, 28));
      assertThat(texts(subscriber.deliveries(3))).isEqualTo(numbers(28, 31));
    }
    try (Subscriber resumed = subscribe(request("build").setResumeToken(after))) {
      assertThat(texts(history(resumed))).isEqualTo(numbers(21, 31));
    }
    assertThat(texts(beginning("build"))).isEqualTo(numbers(21, 31));
  }

  @Test
  void whatIsReadAlreadyIsNotMissedWhenTheTopicDropsIt() throws Exception {
    create("build", TopicSettings.newBuilder().setMaxEvents(10));
    String token = "";
    for (int i = 0; i < 20; i++) {
      token = publish("build", i).getResumeToken();
    }
    // Right up to what is dropped.
    for (int i = 20; i < 30; i++) {
      publish("build", i);
    }
    trim("build", 0);
    try (Subscriber subscriber = subscribe(request("build").setResumeToken(token))) {
      assertThat(texts(history(subscriber))).isEqualTo(numbers(20, 30));
    }
  }

  @Test
  void whatOneTopicHasLostDoesNotHideWhatAnotherHas() throws Exception {
    String small = neighbour("build", 1);
    create(small, TopicSettings.newBuilder().setMaxEvents(1));
    publish("build", event("first"));
    String token;
    try (Subscriber subscriber = subscribe(request("build", small))) {
      token = subscriber.next(MessageCase.STARTED).getStarted().getResumeToken();
    }
    List<String> expected = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      publish(i % 2 == 0 ? "build" : small, i);
      if (i % 2 == 0 || i == 19) {
        expected.add("" + i);
      }
    }
    trim("build", 1);
    anotherServer();
    String middle = "";
    SubscribeRequest.Builder resumed =
        request("build", small).setResumeToken(token).setMaxBatchSize(1);
    try (Subscriber subscriber = subscribe(resumed)) {
      Gap gap = subscriber.next(MessageCase.GAP).getGap();
      assertThat(gap.getToPosition()).isEqualTo(gap.getFromPosition() + 18);
      List<String> got = new ArrayList<>();
      while (got.size() < expected.size()) {
        // No second one.
        EventBatch batch = subscriber.next().getBatch();
        got.addAll(texts(batch.getDeliveriesList()));
        middle = got.size() == 5 ? batch.getResumeToken() : middle;
      }
      assertThat(got).isEqualTo(expected);
    }
    try (Subscriber subscriber = subscribe(request("build", small).setResumeToken(middle))) {
      subscriber.next(MessageCase.GAP);
      assertThat(texts(subscriber.deliveries(5))).isEqualTo(expected.subList(5, 10));
    }
    // Who begins at the beginning wants what there is.
    expected.add(0, "first");
    assertThat(texts(beginning("build", small))).isEqualTo(expected);
  }

  @Test
  void whoDropsOffBeforeTheFirstOfTheLastIsToldWhatIsLostMeanwhile() throws Exception {
    create("build", TopicSettings.newBuilder().setMaxEvents(10));
    for (int i = 0; i < 10; i++) {
      publish("build", i);
    }
    long newest = newest("build").getPosition();
    Gap gap = gapAfterLosses(request("build").setLast(5));
    assertThat(gap.getFromPosition()).isEqualTo(newest - 5);
    assertThat(gap.getToPosition()).isEqualTo(newest + 20);
    assertThat(gap.getMissed()).isEqualTo(25);
  }

  @Test
  void whoDropsOffBeforeTheFirstSinceATimeIsToldWhatIsLostMeanwhile() throws Exception {
    create("build", TopicSettings.newBuilder().setMaxEvents(10));
    for (int i = 0; i < 10; i++) {
      publish("build", i);
      awaitNextMillisecond(accepted("build"));
    }
    EventDelivery newest = newest("build");
    SubscribeRequest.Builder since =
        request("build").setStartTime(Timestamps.fromMillis(accepted("build")));
    Gap gap = gapAfterLosses(since);
    assertThat(gap.getFromPosition()).isEqualTo(newest.getPosition() - 1);
    assertThat(gap.getToPosition()).isEqualTo(newest.getPosition() + 20);
    assertThat(gap.getMissed()).isEqualTo(21);
  }

  @Test
  void whoDropsOffBeforeTheFirstOfAllIsToldWhatIsLostMeanwhile() throws Exception {
    create("build", TopicSettings.newBuilder().setMaxEvents(10));
    for (int i = 0; i < 10; i++) {
      publish("build", i);
    }
    Gap gap = gapAfterLosses(fromBeginning("build"));
    assertThat(gap.getFromPosition()).isZero();
    assertThat(gap.getMissed()).isEqualTo(gap.getToPosition());
  }

  @Test
  void whoDropsOffBeforeWhatTheLogNoLongerHasIsToldOfALossOfUnknownSize() throws Exception {
    create("build", TopicSettings.newBuilder().setMaxEvents(10));
    for (int i = 0; i < 10; i++) {
      publish("build", i);
    }
    long newest = newest("build").getPosition();
    trim("build", 2);
    Gap gap = gapAfterLosses(fromBeginning("build"));
    assertThat(gap.getMissed()).isZero();
    assertThat(gap.getFromPosition()).isZero();
    assertThat(gap.getToPosition()).isEqualTo(newest + 20);
  }

  /** What is told to one that goes on from its first token, after 0 to 19 and more were lost. */
  private Gap gapAfterLosses(SubscribeRequest.Builder request) throws Exception {
    String token;
    try (Subscriber subscriber = subscribe(request)) {
      token = subscriber.next().getStarted().getResumeToken();
    }
    for (int i = 10; i < 40; i++) {
      publish("build", i);
    }
    trim("build", 3);
    anotherServer();
    try (Subscriber subscriber = subscribe(request("build").setResumeToken(token))) {
      subscriber.next(MessageCase.STARTED);
      Gap gap = subscriber.next().getGap();
      assertThat(gap.getReason()).isEqualTo(GapReason.GAP_REASON_TRIMMED);
      assertThat(texts(history(subscriber))).isEqualTo(numbers(30, 40));
      return gap;
    }
  }

  @Test
  void whatWasLostBeforeTopicsSaidSoIsAGapToo() throws Exception {
    create("build", TopicSettings.newBuilder().setMaxEvents(10));
    String token = publish("build", 0).getResumeToken();
    for (int i = 1; i < 31; i++) {
      publish("build", i);
    }
    long newest = newest("build").getPosition();
    trim("build", 3);
    RMap<String, String> topic =
        redis.commands().getMap(partition("build").key("ev:t:build"), StringCodec.INSTANCE);
    assertThat(topic.fastRemove("tr")).isEqualTo(1);
    try (Subscriber subscriber = subscribe(request("build").setResumeToken(token))) {
      Gap gap = subscriber.next(MessageCase.GAP).getGap();
      assertThat(gap.getMissed()).isEqualTo(20);
      assertThat(gap.getToPosition()).isEqualTo(newest - 10);
      assertThat(texts(history(subscriber))).isEqualTo(numbers(21, 31));
    }
    // As age leaves it when nothing else comes.
    redis
        .commands()
        .getStream(partition("build").key("ev:e:build"))
        .trim(StreamTrimArgs.maxLen(0).noLimit());
    trim("build", 0);
    anotherServer();
    try (Subscriber subscriber = subscribe(request("build").setResumeToken(token))) {
      Gap gap = subscriber.next(MessageCase.GAP).getGap();
      assertThat(gap.getToPosition()).isEqualTo(newest);
      assertThat(history(subscriber)).isEmpty();
    }
  }

  @Test
  void deletionsWhileAReaderCatchesUpDoNotHoldItUp() throws Exception {
    String never = neighbour("build", 1);
    String other = neighbour("build", 2);
    publish("build", 0);
    String token;
    try (Subscriber subscriber = subscribe(request("build", never))) {
      token = subscriber.next(MessageCase.STARTED).getStarted().getResumeToken();
    }
    for (int i = 1; i < 300; i++) {
      publish("build", i);
    }
    anotherServer();
    SubscribeRequest request = request("build", never).setResumeToken(token).build();
    createAndDelete(other);
    try (Subscriber subscriber = new Subscriber(harness.stub, request, false)) {
      subscriber.ask(1);
      subscriber.next(MessageCase.STARTED);
      subscriber.ask(1);
      assertThat(subscriber.next().hasGap()).isTrue();
      List<String> got = new ArrayList<>();
      while (got.size() < 299) {
        createAndDelete(other);
        subscriber.ask(1);
        SubscribeResponse message = subscriber.next();
        assertThat(message.hasGap()).as("a second gap after " + got.size()).isFalse();
        got.addAll(texts(message.getBatch().getDeliveriesList()));
      }
      assertThat(got).isEqualTo(numbers(1, 300));
    }
  }

  private void createAndDelete(String topic) {
    create(topic, TopicSettings.newBuilder());
    delete(topic);
    trim(topic, 0);
  }

  @Test
  void ofACompactedTopicTheLastOfEachKeyComesWithoutAGap() throws Exception {
    create("build", TopicSettings.newBuilder().setCompacted(true));
    String token = publish("build", event("first")).getResumeToken();
    for (int i = 0; i < 60; i++) {
      publish("build", event("" + i).setKey(i == 7 ? "once" : "k" + i % 10));
    }
    trim("build", 0);
    List<String> kept = new ArrayList<>(List.of("7"));
    kept.addAll(numbers(50, 60));
    try (Subscriber subscriber = subscribe(request("build").setResumeToken(token))) {
      assertThat(texts(history(subscriber))).isEqualTo(kept);
      publish("build", event("new").setKey("k1"));
      assertThat(texts(subscriber.deliveries(1))).containsExactly("new");
    }
  }

  @Test
  void whatWasDeletedWithItsTopicIsAGap() throws Exception {
    String other = neighbour("build", 1);
    publish(other, 0);
    // It has to be there for longer than what is looked for.
    awaitNextMillisecond(accepted(other));
    String token = publish("build", 0).getResumeToken();
    publish("build", 1);
    String otherToken = publish(other, 1).getResumeToken();
    publish(other, 2);
    delete("build");
    publish("build", 2);
    trim("build", 0);
    try (Subscriber subscriber = subscribe(request("build").setResumeToken(token))) {
      assertThat(subscriber.next(MessageCase.GAP).getGap().getReason())
          .isEqualTo(GapReason.GAP_REASON_TRIMMED);
      assertThat(texts(subscriber.deliveries(1))).containsExactly("2");
      subscriber.next(MessageCase.CAUGHT_UP);
    }
    try (Subscriber subscriber = subscribe(request(other).setResumeToken(otherToken))) {
      assertThat(texts(history(subscriber))).containsExactly("2");
    }
  }

  @Test
  void aTopicThatNeverWasHasNoGap() throws Exception {
    String never = neighbour("build", 1);
    String token;
    try (Subscriber subscriber = subscribe(request(never))) {
      token = subscriber.next(MessageCase.STARTED).getStarted().getResumeToken();
    }
    for (int i = 0; i < 10; i++) {
      publish("build", i);
    }
    trim("build", 0);
    try (Subscriber subscriber = subscribe(request(never).setResumeToken(token))) {
      assertThat(history(subscriber)).isEmpty();
      publish(never, 0);
      assertThat(texts(subscriber.deliveries(1))).containsExactly("0");
    }
  }

  @Test
  void aPatternReadsTheLogAndIsToldWhatThatHasLost() throws Exception {
    String token;
    try (Subscriber subscriber = subscribe(request("bui*"))) {
      token = subscriber.next(MessageCase.STARTED).getStarted().getResumeToken();
    }
    for (int i = 0; i < 10; i++) {
      publish("build", i);
    }
    trim("build", 3);
    try (Subscriber subscriber = subscribe(request("bui*").setResumeToken(token))) {
      Gap gap = subscriber.next(MessageCase.GAP).getGap();
      // With the change that says that the topic is there.
      assertThat(gap.getMissed()).isEqualTo(8);
      assertThat(texts(subscriber.deliveries(3))).isEqualTo(numbers(7, 10));
    }
    assertThat(texts(beginning("bui*"))).isEqualTo(numbers(7, 10));
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

  /** What comes before it is caught up, all of which continues what came before. */
  private static List<EventDelivery> history(Subscriber subscriber) throws Exception {
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

  private List<EventDelivery> beginning(String... topics) throws Exception {
    try (Subscriber subscriber = subscribe(fromBeginning(topics))) {
      return history(subscriber);
    }
  }

  private static List<EventDelivery> deliveries(List<SubscribeResponse> messages) {
    return messages.stream().flatMap(each -> each.getBatch().getDeliveriesList().stream()).toList();
  }

  private long accepted(String topic) {
    return Timestamps.toMillis(newest(topic).getAcceptTime());
  }

  private EventDelivery newest(String topic) {
    ListEventsRequest request =
        ListEventsRequest.newBuilder()
            .setNamespace(namespace)
            .setTopic(topic)
            .setNewestFirst(true)
            .setPageSize(1)
            .build();
    return harness.blocking.listEvents(request).getDeliveries(0);
  }

  private void create(String topic, TopicSettings.Builder settings) {
    harness.blocking.createTopic(
        CreateTopicRequest.newBuilder()
            .setNamespace(namespace)
            .setTopic(topic)
            .setSettings(settings)
            .build());
  }

  private void delete(String topic) {
    harness.blocking.deleteTopic(
        DeleteTopicRequest.newBuilder().setNamespace(namespace).setTopic(topic).build());
  }

  private PublishResponse publish(String topic, int number) {
    return publish(topic, event("" + number));
  }

  private PublishResponse publish(String topic, Event.Builder event) {
    return harness.blocking.publish(
        PublishRequest.newBuilder()
            .setNamespace(namespace)
            .setTopic(topic)
            .setEvent(event)
            .build());
  }

  private static Event.Builder event(String text) {
    return Event.newBuilder().setType("y").setTextData(text);
  }

  private void trim(String topic, int left) {
    redis
        .commands()
        .getStream(new String(partition(topic).logKey(), UTF_8))
        .trim(StreamTrimArgs.maxLen(left).noLimit());
  }

  private void awaitNextMillisecond(long millis) {
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

  private Partition partition(String topic) {
    return EventHarness.NAMESPACES.locate(namespace, topic).toCompletableFuture().join();
  }

  /** Another topic in the partition of one. */
  private String neighbour(String topic, int number) {
    return other(topic, true).skip(number).findFirst().orElseThrow();
  }

  /** A topic in another partition than one. */
  private String stranger(String topic) {
    return other(topic, false).findFirst().orElseThrow();
  }

  private Stream<String> other(String topic, boolean same) {
    return Stream.iterate(0, i -> i + 1)
        .map(i -> "topic-" + i)
        .filter(each -> partition(each).equals(partition(topic)) == same);
  }

  private SubscribeRequest.Builder request(String... topics) {
    return SubscribeRequest.newBuilder().setNamespace(namespace).addAllTopics(List.of(topics));
  }

  private SubscribeRequest.Builder fromBeginning(String... topics) {
    return request(topics).setStart(StartPosition.START_POSITION_BEGINNING);
  }

  private Subscriber subscribe(SubscribeRequest.Builder request) {
    return new Subscriber(harness.stub, request.build(), true);
  }

  private static List<String> numbers(int from, int to) {
    return IntStream.range(from, to).mapToObj(String::valueOf).toList();
  }

  private static List<String> texts(List<EventDelivery> deliveries) {
    return deliveries.stream().map(each -> each.getEvent().getTextData()).toList();
  }
}
