package dev.troupe.server.event;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.util.Timestamps;
import dev.troupe.v1.EventBatch;
import dev.troupe.v1.EventDelivery;
import dev.troupe.v1.Gap;
import dev.troupe.v1.GapReason;
import dev.troupe.v1.SubscribeRequest;
import dev.troupe.v1.SubscribeResponse;
import dev.troupe.v1.SubscribeResponse.MessageCase;
import dev.troupe.v1.TopicSettings;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.redisson.api.RMap;
import org.redisson.api.stream.StreamTrimArgs;
import org.redisson.client.codec.StringCodec;

/** What a topic has not kept either, its readers are told of. On whatever Redis. */
abstract class TopicLossContract extends TopicHistoryFixture {

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
}
