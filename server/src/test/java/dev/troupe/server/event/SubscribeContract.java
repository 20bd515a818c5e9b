package dev.troupe.server.event;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.util.Timestamps;
import dev.troupe.server.grpc.Refusal;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.Script;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.Event;
import dev.troupe.v1.EventBatch;
import dev.troupe.v1.EventDelivery;
import dev.troupe.v1.EventFilter;
import dev.troupe.v1.Gap;
import dev.troupe.v1.GapReason;
import dev.troupe.v1.PublishRequest;
import dev.troupe.v1.SlowPolicy;
import dev.troupe.v1.StartPosition;
import dev.troupe.v1.SubscribeRequest;
import dev.troupe.v1.SubscribeResponse;
import dev.troupe.v1.SubscribeResponse.MessageCase;
import dev.troupe.v1.SubscribeWithCreditsRequest;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a subscription can ask for, on whatever Redis. The server's memory is small here. */
@SuppressWarnings("NullAway.Init")
abstract class SubscribeContract extends EventContract {

  private static final Script EMIT = Script.load("test/emit");

  /** More than the memory holds by far. */
  private static final int MANY = 1_500;

  private EventHarness harness;

  @BeforeEach
  void open() throws Exception {
    harness = new EventHarness(redis, Duration.ofMillis(300), Duration.ofMillis(400), 1 << 16);
  }

  @AfterEach
  void close() {
    harness.close();
  }

  /** With a patience that no test waits for, and one event in the log. */
  private void patient() throws Exception {
    harness.close();
    harness = new EventHarness(redis, Duration.ofMinutes(1), Duration.ofMinutes(1), 1 << 16);
    emit("y", "s", -1);
  }

  @Test
  void everyPartOfAFilterHasToHold() throws Exception {
    publish(event("1", "build.ok", "repo/a").putAttributes("priority", "high").setActor("ann"));
    publish(event("2", "build.ok", "repo/b").putAttributes("priority", "low").setSource("ci"));
    publish(event("3", "build.failed", "repo/a").setCorrelationId("c"));
    publish(event("4", "deploy", "other").putAttributes("priority", "high"));
    assertThat(selected(filter().addTypes("build.*"))).containsExactly("1", "2", "3");
    assertThat(selected(filter().addTypes("build.ok").addTypes("deploy")))
        .containsExactly("1", "2", "4");
    assertThat(selected(filter().setSubjectPrefix("repo/"))).containsExactly("1", "2", "3");
    assertThat(selected(filter().putAttributes("priority", "high"))).containsExactly("1", "4");
    assertThat(selected(filter().putAttributes("source", "ci"))).containsExactly("2");
    assertThat(selected(filter().putAttributes("actor", "ann"))).containsExactly("1");
    assertThat(selected(filter().putAttributes("correlation_id", "c"))).containsExactly("3");
    assertThat(selected(filter().putAttributes("correlationid", "c"))).containsExactly("3");
    assertThat(selected(filter().putAttributes("missing", ""))).isEmpty();
    assertThat(selected(filter().setCesql("subject LIKE 'repo/%' AND EXISTS priority")))
        .containsExactly("1", "2");
    assertThat(selected(filter().setCesql("priority = 'high'"))).containsExactly("1", "4");
    assertThat(selected(filter().setCesql("specversion = '1.0' AND type = 'deploy'")))
        .containsExactly("4");
    assertThat(
            selected(
                filter()
                    .addTypes("build.*")
                    .setSubjectPrefix("repo/a")
                    .putAttributes("priority", "high")
                    .setCesql("actor = 'ann'")))
        .containsExactly("1");
  }

  private List<String> selected(EventFilter.Builder filter) throws Exception {
    try (Subscriber subscriber = subscribe(fromBeginning().setFilter(filter))) {
      List<String> texts = new ArrayList<>();
      SubscribeResponse message = subscriber.next();
      while (!message.hasCaughtUp()) {
        texts.addAll(texts(message.getBatch()));
        message = subscriber.next();
      }
      return texts;
    }
  }

  @Test
  void aFilterThatIsNoExpressionIsRefusedWithTheReason() throws Exception {
    EventFilter.Builder filter = filter().setCesql("subject LIKE");
    try (Subscriber subscriber = subscribe(fromBeginning().setFilter(filter))) {
      Refusal refusal = Refusal.of(subscriber.failure());
      assertThat(refusal.fields()).containsOnlyKeys("filter.cesql");
      assertThat(refusal.fields().get("filter.cesql")).contains("character");
    }
  }

  @Test
  void theServersOwnEventsCanBeFilteredToo() throws Exception {
    run("troupe.tasks", "task.completed", "task-1", "");
    run("troupe.tasks", "task.failed", "task-2", "");
    SubscribeRequest.Builder request =
        SubscribeRequest.newBuilder()
            .setNamespace(namespace)
            .addTopics("troupe.tasks")
            .setStart(StartPosition.START_POSITION_BEGINNING)
            .setFilter(filter().setCesql("type LIKE '%failed' AND id LIKE '%-2'"));
    try (Subscriber subscriber = subscribe(request)) {
      assertThat(subscriber.deliveries(1).get(0).getEvent().getSubject()).isEqualTo("task-2");
    }
  }

  @Test
  void aTokenIsBoundToTheFilter() throws Exception {
    publish(event("1", "y", "s"));
    SubscribeRequest.Builder filtered =
        fromBeginning().setFilter(filter().addTypes("y").addTypes("z").setSubjectPrefix("s"));
    String token;
    try (Subscriber subscriber = subscribe(filtered)) {
      token = subscriber.next(MessageCase.BATCH).getBatch().getResumeToken();
    }
    SubscribeRequest.Builder same =
        request()
            .setResumeToken(token)
            .setFilter(filter().setSubjectPrefix("s").addTypes("z").addTypes("y"));
    try (Subscriber subscriber = subscribe(same)) {
      subscriber.next(MessageCase.CAUGHT_UP);
    }
    List<EventFilter.Builder> others =
        List.of(
            filter(),
            filter().addTypes("y").setSubjectPrefix("s"),
            filter().addTypes("y").addTypes("z").setSubjectPrefix("s").putAttributes("a", ""));
    for (EventFilter.Builder other : others) {
      try (Subscriber subscriber = subscribe(request().setResumeToken(token).setFilter(other))) {
        assertThat(reason(subscriber.failure())).isEqualTo("INVALID_RESUME_TOKEN");
      }
    }
  }

  @Test
  void aBatchSaysFromWhereToWhereItWasRead() throws Exception {
    for (int i = 0; i < 300; i++) {
      emit(i % 3 == 0 ? "wanted" : "other", "s", i);
    }
    SubscribeRequest.Builder request =
        fromBeginning().setFilter(filter().addTypes("wanted")).setMaxBatchSize(7);
    try (Subscriber subscriber = subscribe(request)) {
      long read = 0;
      List<String> texts = new ArrayList<>();
      while (texts.size() < 100) {
        EventBatch batch = subscriber.next(MessageCase.BATCH).getBatch();
        assertThat(batch.getDeliveriesCount()).isBetween(1, 7);
        assertThat(batch.getPartition()).isEqualTo(partition().index());
        assertThat(batch.getPreviousPosition()).isEqualTo(read);
        assertThat(batch.getDeliveries(0).getPosition()).isGreaterThan(read);
        read = batch.getReadPosition();
        assertThat(batch.getDeliveriesList()).allMatch(each -> each.getPosition() % 3 == 1);
        texts.addAll(texts(batch));
      }
      assertThat(read).isGreaterThanOrEqualTo(298);
      assertThat(texts)
          .containsExactlyElementsOf(
              IntStream.range(0, 100).mapToObj(i -> String.valueOf(i * 3)).toList());
    }
  }

  @Test
  void readersInStepGetTheSameMessages() throws Exception {
    try (Subscriber one = subscribe(request());
        Subscriber other = subscribe(request())) {
      one.next(MessageCase.CAUGHT_UP);
      other.next(MessageCase.CAUGHT_UP);
      for (int i = 0; i < 5; i++) {
        publish(event("" + i, "y", "s"));
        EventBatch batch = one.next(MessageCase.BATCH).getBatch();
        assertThat(other.next(MessageCase.BATCH).getBatch()).isEqualTo(batch);
        assertThat(texts(batch)).containsExactly("" + i);
      }
    }
  }

  @Test
  void theLastEventsAreCountedOverAllTopicsAndOnlyThoseThatMatch() throws Exception {
    for (int i = 0; i < 40; i++) {
      String topic = "topic" + i % 4;
      publish(topic, event("" + i, i % 2 == 0 ? "even" : "odd", "s"));
      // Partitions are told apart by time alone.
      long now = accepted(topic);
      Awaitility.await().until(() -> redisMillis() > now);
    }
    assertThat(last(5, "**", "**")).containsExactlyInAnyOrder("35", "36", "37", "38", "39");
    assertThat(last(3, "**", "even")).containsExactlyInAnyOrder("34", "36", "38");
    assertThat(last(2, "topic1", "**")).containsExactly("33", "37");
    assertThat(last(10_000, "topic2", "**")).hasSize(10);
    assertThat(last(3, "nothing", "**")).isEmpty();
  }

  private List<String> last(int count, String topic, String type) throws Exception {
    SubscribeRequest.Builder request =
        SubscribeRequest.newBuilder()
            .setNamespace(namespace)
            .addTopics(topic)
            .setLast(count)
            .setFilter(filter().addTypes(type));
    try (Subscriber subscriber = subscribe(request)) {
      List<String> texts = new ArrayList<>();
      SubscribeResponse message = subscriber.next();
      while (!message.hasCaughtUp()) {
        assertThat(message.hasGap()).isFalse();
        texts.addAll(texts(message.getBatch()));
        message = subscriber.next();
      }
      return texts;
    }
  }

  @Test
  void aSubscriptionEndsWhenAllFromBeforeItsEndIsRead() throws Exception {
    publish(event("1", "y", "s"));
    publish(event("2", "y", "s"));
    long second = accepted("build");
    Awaitility.await().until(() -> redisMillis() > second);
    publish(event("3", "y", "s"));
    SubscribeRequest.Builder past =
        fromBeginning().setEndTime(Timestamps.fromMillis(accepted("build")));
    try (Subscriber subscriber = subscribe(past)) {
      List<SubscribeResponse> all = subscriber.toTheEnd();
      assertThat(texts(all)).containsExactly("1", "2");
      SubscribeResponse last = all.get(all.size() - 1);
      assertThat(last.hasCheckpoint()).isTrue();
      String token = last.getCheckpoint().getResumeToken();
      try (Subscriber rest = subscribe(request().setResumeToken(token))) {
        assertThat(texts(rest.next(MessageCase.BATCH).getBatch())).containsExactly("3");
      }
    }
  }

  @Test
  void anEndYetToComeIsWaitedForEvenIfNothingHappens() throws Exception {
    long end = redisMillis() + 800;
    SubscribeRequest.Builder request =
        SubscribeRequest.newBuilder()
            .setNamespace(namespace)
            .addTopics("**")
            .setEndTime(Timestamps.fromMillis(end));
    try (Subscriber subscriber = subscribe(request)) {
      subscriber.next(MessageCase.CAUGHT_UP);
      publish(event("in time", "y", "s"));
      Awaitility.await().until(() -> redisMillis() >= end);
      publish(event("too late", "y", "s"));
      assertThat(texts(subscriber.toTheEnd())).containsExactly("in time");
    }
    Awaitility.await().until(() -> harness.pumps.open() == 0);
  }

  @Test
  void aReaderThatFellBehindIsToldAndCatchesUp() throws Exception {
    patient();
    try (Subscriber slow = stalled(SlowPolicy.SLOW_POLICY_CATCH_UP)) {
      emitMany();
      slow.ask(1_000_000);
      SubscribeResponse behind = slow.next(MessageCase.FELL_BEHIND);
      assertThat(behind.getFellBehind().getLag()).isEqualTo(MANY);
      assertThat(texts(slow.deliveries(MANY))).containsExactlyElementsOf(numbers(0));
      slow.next(MessageCase.CAUGHT_UP);
      publish(event("live", "y", "s"));
      assertThat(texts(slow.deliveries(1))).containsExactly("live");
    }
  }

  @Test
  void aReaderThatWantsToBeDisconnectedIsAsSoonAsItFellBehind() throws Exception {
    patient();
    try (Subscriber slow = stalled(SlowPolicy.SLOW_POLICY_DISCONNECT)) {
      emitMany();
      Awaitility.await().until(() -> harness.pumps.open() == 0);
      slow.ask(10);
      SubscribeResponse away = slow.next(MessageCase.GO_AWAY);
      assertThat(away.getGoAway().getReason()).isEqualTo(ErrorReason.ERROR_REASON_SLOW_CONSUMER);
      assertThat(slow.failure().getStatus().getCode()).isEqualTo(Code.RESOURCE_EXHAUSTED);
      String token = away.getGoAway().getResumeToken();
      try (Subscriber resumed = subscribe(request().setResumeToken(token))) {
        assertThat(texts(resumed.deliveries(MANY))).containsExactlyElementsOf(numbers(0));
      }
    }
  }

  @Test
  void aReaderThatDropsTheOldestGoesOnAfterAGapThatSaysExactlyWhatIsMissing() throws Exception {
    patient();
    try (Subscriber slow = stalled(SlowPolicy.SLOW_POLICY_DROP_OLDEST)) {
      emitMany();
      slow.ask(1_000_000);
      Gap gap = slow.next(MessageCase.GAP).getGap();
      assertThat(gap.getReason()).isEqualTo(GapReason.GAP_REASON_SLOW_READER);
      assertThat(gap.getPartition()).isEqualTo(partition().index());
      assertThat(gap.getFromPosition()).isEqualTo(1);
      assertThat(gap.getToPosition()).isEqualTo(1 + gap.getMissed()).isBetween(2L, 0L + MANY);
      int missed = (int) gap.getMissed();
      EventBatch first = slow.next(MessageCase.BATCH).getBatch();
      assertThat(first.getPreviousPosition()).isEqualTo(gap.getToPosition());
      List<String> texts = new ArrayList<>(texts(first));
      texts.addAll(texts(slow.deliveries(MANY - missed - texts.size())));
      assertThat(texts).containsExactlyElementsOf(numbers(missed));
      try (Subscriber resumed = subscribe(request().setResumeToken(gap.getResumeToken()))) {
        assertThat(texts(resumed.deliveries(MANY - missed)))
            .containsExactlyElementsOf(numbers(missed));
      }
    }
  }

  @Test
  void aConflatingReaderGetsTheNewestOfEachSubjectAndGoesOnLive() throws Exception {
    patient();
    try (Subscriber slow = stalled(SlowPolicy.SLOW_POLICY_CONFLATE)) {
      try (Subscriber witness = subscribe(request())) {
        witness.next(MessageCase.CAUGHT_UP);
        for (int i = 0; i < MANY; i++) {
          emit("y", "s" + i % 10, i);
        }
        // Of another type, and so not among those that it wants.
        emit("unwanted", "s9", MANY);
        witness.deliveries(MANY + 1);
      }
      slow.ask(1_000_000);
      Gap gap = slow.next(MessageCase.GAP).getGap();
      assertThat(gap.getReason()).isEqualTo(GapReason.GAP_REASON_SLOW_READER);
      assertThat(gap.getFromPosition()).isEqualTo(1);
      assertThat(gap.getToPosition()).isEqualTo(1 + MANY + 1);
      assertThat(gap.getMissed()).isEqualTo(MANY + 1 - 10);
      EventBatch newest = slow.next(MessageCase.BATCH).getBatch();
      assertThat(texts(newest)).containsExactlyElementsOf(numbers(MANY - 10));
      assertThat(newest.getPreviousPosition()).isEqualTo(gap.getToPosition());
      assertThat(newest.getReadPosition()).isEqualTo(gap.getToPosition());
      publish(event("live", "y", "s1"));
      publish(event("too", "y", "s1"));
      assertThat(texts(slow.deliveries(2))).containsExactly("live", "too");
    }
  }

  @Test
  void stalledReadersDisturbNobodyAndGetNothingBeforeTheyAskForIt() throws Exception {
    patient();
    List<Subscriber> stalled = new ArrayList<>();
    for (SlowPolicy policy :
        List.of(SlowPolicy.SLOW_POLICY_CATCH_UP, SlowPolicy.SLOW_POLICY_DROP_OLDEST)) {
      for (int i = 0; i < 10; i++) {
        stalled.add(stalled(policy));
      }
    }
    try (Subscriber fast = subscribe(request())) {
      fast.next(MessageCase.CAUGHT_UP);
      for (int i = 0; i < MANY; i += 50) {
        for (int j = i; j < i + 50; j++) {
          emit("y", "s", j);
        }
        assertThat(texts(fast.deliveries(50)))
            .containsExactlyElementsOf(numbers(0).subList(i, i + 50));
      }
    }
    assertThat(stalled).allMatch(Subscriber::isQuiet);
    stalled.forEach(Subscriber::close);
  }

  @Test
  void neverMoreIsSentThanThereAreCreditsFor() throws Exception {
    for (int i = 0; i < 200; i++) {
      emit("y", "s", i);
    }
    try (CreditedSubscriber reader = credited().open(fromBeginning())) {
      assertThat(reader.messages()).isEmpty();
      int given = 0;
      for (int credits : List.of(1, 2, 70, 3, 1, 100)) {
        reader.give(credits);
        given += credits;
        int expected = given;
        Awaitility.await().until(() -> reader.texts().size() == expected);
      }
      assertThat(reader.texts()).containsExactlyElementsOf(numbers(0).subList(0, 177));
      // Longer than a slow reader would be borne with, as it is none.
      Awaitility.await().until(() -> reader.messages().stream().filter(hasLag(23)).count() >= 3);
      assertThat(reader.texts()).hasSize(177);
      reader.give(1000);
      Awaitility.await().until(() -> reader.texts().size() == 200);
      emit("y", "s", 200);
      Awaitility.await().until(() -> reader.texts().size() == 201);
    }
  }

  private static java.util.function.Predicate<SubscribeResponse> hasLag(long lag) {
    return message -> message.hasCheckpoint() && message.getCheckpoint().getLag() == lag;
  }

  @Test
  void aReaderWithCreditsThatSaysNoMoreGetsWhatItGaveCreditsFor() throws Exception {
    for (int i = 0; i < 10; i++) {
      emit("y", "s", i);
    }
    try (CreditedSubscriber reader = credited().open(fromBeginning()).give(12)) {
      reader.halfClose();
      Awaitility.await().until(() -> reader.texts().size() == 10);
      emit("y", "s", 10);
      emit("y", "s", 11);
      emit("y", "s", 12);
      assertThat(reader.endsWell()).isTrue();
      assertThat(reader.texts()).containsExactlyElementsOf(numbers(0).subList(0, 12));
      String token =
          reader.messages().get(reader.messages().size() - 1).getCheckpoint().getResumeToken();
      try (Subscriber rest = subscribe(request().setResumeToken(token))) {
        assertThat(texts(rest.deliveries(1))).containsExactly("12");
      }
    }
    try (CreditedSubscriber reader = credited().open(fromBeginning())) {
      reader.halfClose();
      assertThat(reader.endsWell()).isTrue();
      assertThat(reader.messages()).isEmpty();
    }
  }

  @Test
  void aReaderThatBreaksTheProtocolHearsWhatItDid() throws Exception {
    try (CreditedSubscriber reader = credited().give(1)) {
      isViolation(reader.failure(), "does not open");
    }
    try (CreditedSubscriber reader = credited().open(request()).give(1).open(request())) {
      isViolation(reader.failure(), "open already");
    }
    try (CreditedSubscriber reader = credited()) {
      reader.send(SubscribeWithCreditsRequest.getDefaultInstance());
      isViolation(reader.failure(), "empty message");
    }
    try (CreditedSubscriber reader = credited()) {
      reader.halfClose();
      isViolation(reader.failure(), "before it was opened");
    }
    for (int credits : List.of(0, -1, Integer.MIN_VALUE, 100_001, Integer.MAX_VALUE)) {
      try (CreditedSubscriber reader = credited().open(request()).give(credits)) {
        Refusal refusal = Refusal.of(reader.failure());
        assertThat(refusal.fields()).containsOnlyKeys("credits");
        assertThat(refusal.fields().get("credits")).contains("1 to 100000");
      }
    }
    try (CreditedSubscriber reader = credited().open(SubscribeRequest.newBuilder())) {
      assertThat(Refusal.of(reader.failure()).fields()).containsOnlyKeys("topics");
    }
    Awaitility.await().until(() -> harness.pumps.open() == 0);
  }

  @Test
  void creditsAddUpWithoutEnd() throws Exception {
    try (CreditedSubscriber reader = credited().open(request())) {
      // More than an int would hold.
      for (int i = 0; i < 25_000; i++) {
        reader.give(100_000);
      }
      emit("y", "s", 0);
      Awaitility.await().until(() -> reader.texts().size() == 1);
    }
  }

  private static void isViolation(StatusRuntimeException failure, String words) {
    assertThat(failure.getStatus().getCode()).isEqualTo(Code.FAILED_PRECONDITION);
    assertThat(reason(failure)).isEqualTo("PROTOCOL_VIOLATION");
    assertThat(failure.getStatus().getDescription()).contains(words);
  }

  private CreditedSubscriber credited() {
    return new CreditedSubscriber(harness.stub);
  }

  /** A live reader of events of type "y" that asks for no more. */
  private Subscriber stalled(SlowPolicy policy) throws Exception {
    SubscribeRequest request =
        request().addTypes("y").addTypes("live").setSlowPolicy(policy).build();
    Subscriber slow = new Subscriber(harness.stub, request, false);
    slow.ask(2);
    slow.next(MessageCase.STARTED);
    slow.next(MessageCase.CAUGHT_UP);
    return slow;
  }

  private void emitMany() throws Exception {
    // What this reader has is in memory, or was.
    try (Subscriber witness = subscribe(request())) {
      witness.next(MessageCase.CAUGHT_UP);
      for (int i = 0; i < MANY; i += 100) {
        String[] texts = numbers(i).subList(0, 100).toArray(String[]::new);
        run("build", "y", "s", texts);
      }
      witness.deliveries(MANY);
    }
  }

  private static List<String> numbers(int from) {
    return IntStream.range(from, MANY).mapToObj(String::valueOf).toList();
  }

  private void emit(String type, String subject, int text) throws Exception {
    run("build", type, subject, String.valueOf(text));
  }

  private void run(String topic, String type, String subject, String... texts) throws Exception {
    List<Object> arguments = new ArrayList<>(List.of(topic, type, subject));
    for (String text : texts) {
      arguments.add(
          topic.startsWith("troupe.")
              ? new byte[0]
              : event(text, type, subject).build().toByteArray());
    }
    redis
        .run(EMIT, partition(), arguments.toArray())
        .toCompletableFuture()
        .get(60, TimeUnit.SECONDS);
  }

  private static Event.Builder event(String text, String type, String subject) {
    return Event.newBuilder().setType(type).setSubject(subject).setTextData(text);
  }

  private void publish(Event.Builder event) {
    publish("build", event);
  }

  private void publish(String topic, Event.Builder event) {
    harness.blocking.publish(
        PublishRequest.newBuilder()
            .setNamespace(namespace)
            .setTopic(topic)
            .setEvent(event)
            .build());
  }

  private long accepted(String topic) throws Exception {
    Partition partition =
        EventHarness.NAMESPACES.locate(namespace, topic).toCompletableFuture().get();
    return harness.logs.head(partition).toCompletableFuture().get().position().millis();
  }

  /** By its clock. */
  private long redisMillis() throws Exception {
    long far = Long.MAX_VALUE / 2;
    return far - harness.logs.until(partition(), far).toCompletableFuture().get().leftMillis();
  }

  private Partition partition() throws Exception {
    return EventHarness.NAMESPACES.locate(namespace, "build").toCompletableFuture().get();
  }

  private SubscribeRequest.Builder request() {
    return SubscribeRequest.newBuilder().setNamespace(namespace).addTopics("build");
  }

  private SubscribeRequest.Builder fromBeginning() {
    return request().setStart(StartPosition.START_POSITION_BEGINNING);
  }

  private static EventFilter.Builder filter() {
    return EventFilter.newBuilder();
  }

  private Subscriber subscribe(SubscribeRequest.Builder request) {
    return new Subscriber(harness.stub, request.build(), true);
  }

  private static List<String> texts(List<?> messages) {
    return messages.stream()
        .flatMap(
            each ->
                each instanceof SubscribeResponse message
                    ? message.getBatch().getDeliveriesList().stream()
                    : Stream.of((EventDelivery) each))
        .map(delivery -> delivery.getEvent().getTextData())
        .toList();
  }

  private static List<String> texts(EventBatch batch) {
    return texts(batch.getDeliveriesList());
  }

  private static String reason(StatusRuntimeException failure) {
    return Refusal.of(failure).reason();
  }
}
