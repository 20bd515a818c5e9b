package dev.troupe.server.event;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.protobuf.Timestamp;
import com.google.protobuf.util.Timestamps;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.Status;
import dev.troupe.server.grpc.Refusal;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.Script;
import dev.troupe.v1.CreateTopicRequest;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.Event;
import dev.troupe.v1.EventBatch;
import dev.troupe.v1.EventDelivery;
import dev.troupe.v1.EventFilter;
import dev.troupe.v1.Fence;
import dev.troupe.v1.Gap;
import dev.troupe.v1.GapReason;
import dev.troupe.v1.GoAway;
import dev.troupe.v1.PublishRequest;
import dev.troupe.v1.PublishResponse;
import dev.troupe.v1.StartPosition;
import dev.troupe.v1.SubscribeRequest;
import dev.troupe.v1.SubscribeResponse;
import dev.troupe.v1.SubscribeResponse.MessageCase;
import dev.troupe.v1.TaskChange;
import dev.troupe.v1.TopicSettings;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.redisson.api.stream.StreamTrimArgs;

/** What topics promise, on whatever Redis. */
@SuppressWarnings("NullAway.Init")
abstract class EventStreamContract extends EventContract {

  private static final Script EMIT = Script.load("test/emit");

  private EventHarness harness;

  @BeforeEach
  void open() throws Exception {
    harness = new EventHarness(redis, Duration.ofMillis(300), Duration.ofMillis(400));
  }

  @AfterEach
  void close() {
    harness.close();
  }

  @Test
  void aSubscriberFromTheBeginningGetsHistoryThenCaughtUpThenLiveEvents() throws Exception {
    publish("build", "build.started", "1");
    publish("build", "build.finished", "2");
    try (Subscriber subscriber = subscribe(request("build").setStart(beginning()))) {
      assertThat(subscriber.next().hasStarted()).isTrue();
      EventBatch batch = subscriber.next(MessageCase.BATCH).getBatch();
      List<EventDelivery> history = batch.getDeliveriesList();
      assertThat(texts(history)).containsExactly("1", "2");
      assertThat(history.get(0).getTopic()).isEqualTo("build");
      assertThat(history.get(0).getEvent().getTime()).isNotEqualTo(Timestamp.getDefaultInstance());
      assertThat(subscriber.next(MessageCase.CAUGHT_UP).getCaughtUp().getResumeToken())
          .isEqualTo(batch.getResumeToken());
      publish("build", "build.started", "3");
      assertThat(texts(subscriber.deliveries(1))).containsExactly("3");
    }
  }

  @Test
  void aSubscriberFromNowGetsOnlyWhatIsPublishedAfterIt() throws Exception {
    publish("build", "build.started", "before");
    try (Subscriber subscriber = subscribe(request("build"))) {
      subscriber.next(MessageCase.STARTED);
      subscriber.next(MessageCase.CAUGHT_UP);
      publish("build", "build.started", "after");
      assertThat(texts(subscriber.deliveries(1))).containsExactly("after");
    }
  }

  @Test
  void aSubscriberFromATimeBeginsWithTheFirstEventAcceptedThen() throws Exception {
    publish("build", "build.started", "1");
    long first = accepted("build");
    // Entries of the same millisecond would share a time.
    Awaitility.await().until(() -> publishedAfter(first));
    publish("build", "build.started", "3");
    try (Subscriber all = subscribe(request("build").setStart(beginning()))) {
      List<EventDelivery> deliveries = new ArrayList<>();
      while (deliveries.isEmpty()
          || !deliveries.get(deliveries.size() - 1).getEvent().getTextData().equals("3")) {
        deliveries.addAll(all.next(MessageCase.BATCH).getBatch().getDeliveriesList());
      }
      EventDelivery wanted = deliveries.get(deliveries.size() - 2);
      List<String> expected =
          texts(deliveries)
              .subList(
                  (int)
                      deliveries.stream()
                          .filter(
                              each ->
                                  Timestamps.compare(each.getAcceptTime(), wanted.getAcceptTime())
                                      < 0)
                          .count(),
                  deliveries.size());
      SubscribeRequest.Builder fromTime = request("build").setStartTime(wanted.getAcceptTime());
      try (Subscriber some = subscribe(fromTime)) {
        assertThat(texts(some.deliveries(expected.size()))).isEqualTo(expected);
      }
    }
  }

  private boolean publishedAfter(long first) throws Exception {
    publish("build", "build.started", "2");
    return accepted("build") > first;
  }

  private long accepted(String topic) throws Exception {
    return harness.logs.head(partition(topic)).toCompletableFuture().get().position().millis();
  }

  @Test
  void aSubscriberFromATimeYetToComeWaitsForIt() throws Exception {
    long soon = System.currentTimeMillis() + 1_500;
    SubscribeRequest.Builder later = request("build").setStartTime(Timestamps.fromMillis(soon));
    try (Subscriber subscriber = subscribe(later)) {
      publish("build", "build.started", "too early");
      Awaitility.await()
          .until(
              () -> {
                publish("build", "build.started", "probe");
                return accepted("build") >= soon;
              });
      EventDelivery first = subscriber.next(MessageCase.BATCH).getBatch().getDeliveries(0);
      assertThat(Timestamps.toMillis(first.getAcceptTime())).isGreaterThanOrEqualTo(soon);
    }
  }

  @Test
  void everyTokenResumesRightBehindItsEvent() throws Exception {
    for (int i = 0; i < 10; i++) {
      publish(i % 2 == 0 ? "a" : "b", "y", "" + i);
    }
    SubscribeRequest.Builder one = request("*").setStart(beginning()).setMaxBatchSize(1);
    try (Subscriber subscriber = subscribe(one)) {
      List<EventDelivery> all = new ArrayList<>();
      List<String> tokens = new ArrayList<>();
      for (int i = 0; i < 10; i++) {
        EventBatch batch = subscriber.next(MessageCase.BATCH).getBatch();
        assertThat(batch.getDeliveriesCount()).isEqualTo(1);
        all.addAll(batch.getDeliveriesList());
        tokens.add(batch.getResumeToken());
      }
      for (int i = 0; i < 9; i++) {
        try (Subscriber rest = subscribe(request("*").setResumeToken(tokens.get(i)))) {
          Set<String> expected = new HashSet<>(texts(all.subList(i + 1, 10)));
          assertThat(texts(rest.deliveries(9 - i))).containsExactlyInAnyOrderElementsOf(expected);
        }
      }
    }
  }

  @Test
  void theTokenOfAPublishResumesASubscriptionToItsTopic() throws Exception {
    publish("build", "y", "1");
    String token = publish("build", "y", "2").getResumeToken();
    publish("build", "y", "3");
    try (Subscriber subscriber = subscribe(request("build").setResumeToken(token))) {
      assertThat(texts(subscriber.deliveries(1))).containsExactly("3");
    }
  }

  @Test
  void aTokenIsRefusedWhenItWasAlteredOrMadeForOtherTopics() throws Exception {
    String token = publish("build", "y", "1").getResumeToken();
    char last = token.charAt(20) == 'A' ? 'B' : 'A';
    List<SubscribeRequest.Builder> wrong =
        List.of(
            request("other").setResumeToken(token),
            request("build", "other").setResumeToken(token),
            request("build").setNamespace("elsewhere").setResumeToken(token),
            request("build").setResumeToken(token.substring(0, 20) + last + token.substring(21)),
            request("build").setResumeToken(token + "A"),
            request("build").setResumeToken("?"));
    for (SubscribeRequest.Builder request : wrong) {
      try (Subscriber subscriber = subscribe(request)) {
        StatusRuntimeException failure = subscriber.failure();
        assertThat(failure.getStatus().getCode()).isEqualTo(io.grpc.Status.Code.INVALID_ARGUMENT);
        assertThat(reason(failure)).isEqualTo("INVALID_RESUME_TOKEN");
      }
    }
  }

  @Test
  void topicAndTypePatternsSelect() throws Exception {
    List<String> topics = List.of("a", "a.b", "a.b.c", "b");
    topics.forEach(topic -> publish(topic, "x." + topic, topic));
    publish("end", "end", "end");
    assertThat(selected(List.of("a"), List.of())).containsExactlyInAnyOrder("a");
    assertThat(selected(List.of("a.*"), List.of())).containsExactlyInAnyOrder("a.b");
    assertThat(selected(List.of("a.**"), List.of())).containsExactlyInAnyOrder("a.b", "a.b.c");
    assertThat(selected(List.of("*"), List.of())).containsExactlyInAnyOrder("a", "b");
    assertThat(selected(List.of("**"), List.of("x.a.*"))).containsExactlyInAnyOrder("a.b");
    assertThat(selected(List.of("*.b", "b"), List.of())).containsExactlyInAnyOrder("a.b", "b");
    assertThat(selected(List.of("a*c"), List.of())).isEmpty();
    assertThat(selected(List.of("a**c"), List.of())).containsExactlyInAnyOrder("a.b.c");
  }

  private List<String> selected(List<String> topics, List<String> types) throws Exception {
    SubscribeRequest.Builder request =
        request(topics.toArray(String[]::new)).addAllTypes(types).setStart(beginning());
    List<String> texts = new ArrayList<>();
    try (Subscriber subscriber = subscribe(request)) {
      SubscribeResponse message = subscriber.next();
      while (!message.hasCaughtUp()) {
        texts.addAll(texts(message.getBatch().getDeliveriesList()));
        message = subscriber.next();
      }
    }
    texts.remove("end");
    return texts;
  }

  @Test
  void theServersOwnTopicsAreReadFromAllPartitionsAndOnlyByTheirName() throws Exception {
    for (int i = 0; i < EventHarness.PARTITIONS; i++) {
      TaskChange change = TaskChange.newBuilder().setTaskId("task-" + i).build();
      redis
          .run(
              EMIT,
              new Partition(namespace, i, EventHarness.PARTITIONS),
              "troupe.tasks",
              "task.completed",
              "task-" + i,
              change.toByteArray())
          .toCompletableFuture()
          .get(60, TimeUnit.SECONDS);
    }
    for (String pattern : List.of("troupe.tasks", "troupe.*", "troupe.**")) {
      try (Subscriber subscriber = subscribe(request(pattern).setStart(beginning()))) {
        List<EventDelivery> deliveries = subscriber.deliveries(EventHarness.PARTITIONS);
        assertThat(deliveries)
            .extracting(each -> each.getEvent().getTask().getTaskId())
            .containsExactlyInAnyOrder("task-0", "task-1", "task-2", "task-3");
        Event event = deliveries.get(0).getEvent();
        assertThat(event.getType()).isEqualTo("task.completed");
        assertThat(event.getSubject()).isEqualTo(event.getTask().getTaskId());
        assertThat(event.getSource()).isEqualTo("troupe/" + namespace);
        assertThat(event.getId()).isEqualTo(event.getSubject().substring(5) + "-1");
        assertThat(event.getTime()).isEqualTo(deliveries.get(0).getAcceptTime());
      }
    }
    assertThat(selected(List.of("**"), List.of())).isEmpty();
    assertThat(selected(List.of("t**"), List.of())).isEmpty();
  }

  @Test
  void aRepeatedPublishIsADuplicateWithTheFirstPosition() throws Exception {
    PublishRequest request =
        PublishRequest.newBuilder()
            .setNamespace(namespace)
            .setTopic("build")
            .setEvent(Event.newBuilder().setId("1").setSource("ci").setType("y").setTextData("a"))
            .build();
    PublishResponse first = harness.blocking.publish(request);
    publish("build", "y", "between");
    PublishResponse second = harness.blocking.publish(request);
    assertThat(first.getDuplicate()).isFalse();
    assertThat(second.getDuplicate()).isTrue();
    assertThat(second.getResumeToken()).isEqualTo(first.getResumeToken());
    assertThat(second.getEventId()).isEqualTo("1");
    PublishRequest.Builder otherSource = request.toBuilder();
    otherSource.getEventBuilder().setSource("cd");
    assertThat(harness.blocking.publish(otherSource.build()).getDuplicate()).isFalse();
    assertThat(harness.blocking.publish(request.toBuilder().setTopic("t").build()).getDuplicate())
        .isFalse();
    try (Subscriber subscriber = subscribe(request("build").setStart(beginning()))) {
      assertThat(texts(subscriber.deliveries(3))).containsExactly("a", "between", "a");
    }
  }

  @Test
  void aStaleFenceKeepsAnEventOut() throws Exception {
    PublishRequest.Builder request =
        PublishRequest.newBuilder()
            .setNamespace(namespace)
            .setTopic("build")
            .setEvent(Event.newBuilder().setType("y"))
            .setFence(Fence.newBuilder().setName("lock").setToken(8));
    harness.blocking.publish(request.build());
    request.getFenceBuilder().setToken(7);
    assertThatThrownBy(() -> harness.blocking.publish(request.build()))
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            failure -> {
              assertThat(failure.getStatus().getCode())
                  .isEqualTo(io.grpc.Status.Code.FAILED_PRECONDITION);
              assertThat(info(failure).getReason()).isEqualTo("STALE_FENCE");
              assertThat(info(failure).getMetadataMap()).containsEntry("highest_token", "8");
            });
  }

  @Test
  void aBadPublishIsRefusedWithAllViolations() {
    Event.Builder event =
        Event.newBuilder()
            .setId("i".repeat(257))
            .setSource("s\n")
            .setSubject("s".repeat(1025))
            .setTime(Timestamp.newBuilder().setNanos(-1))
            .setDatacontenttype("d".repeat(257))
            .setDataschema("d".repeat(1025))
            .setTask(TaskChange.getDefaultInstance())
            .setCorrelationId("c".repeat(257))
            .setCausationId("c".repeat(257))
            .setActor("a".repeat(257))
            .putAttributes("k".repeat(65), "v".repeat(257));
    PublishRequest request =
        PublishRequest.newBuilder()
            .setNamespace("No Good")
            .setTopic("troupe.*")
            .setEvent(event)
            .setFence(Fence.newBuilder().setName("f"))
            .build();
    assertThatThrownBy(() -> harness.blocking.publish(request))
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            failure ->
                assertThat(violations(failure))
                    .containsExactly(
                        "namespace",
                        "topic",
                        "topic",
                        "event.id",
                        "event.source",
                        "event.type",
                        "event.subject",
                        "event.datacontenttype",
                        "event.dataschema",
                        "event.correlation_id",
                        "event.causation_id",
                        "event.actor",
                        "event.time",
                        "event.task",
                        "event.attributes[" + "k".repeat(65) + "]",
                        "event.attributes key",
                        "fence.token"));
  }

  @Test
  void aBadSubscriptionIsRefusedWithAllViolations() throws Exception {
    SubscribeRequest.Builder request =
        SubscribeRequest.newBuilder()
            .setNamespace("No Good")
            .addTypes("")
            .setStartValue(77)
            .setStartTime(Timestamp.newBuilder().setNanos(-1));
    try (Subscriber subscriber = subscribe(request)) {
      assertThat(violations(subscriber.failure()))
          .containsExactly("namespace", "topics", "types[0]", "start", "start_time", "start");
    }
    try (Subscriber subscriber = subscribe(hostile())) {
      assertThat(violations(subscriber.failure()))
          .containsExactly(
              "start",
              "last",
              "filter.types",
              "filter.subject_prefix",
              "filter.attributes",
              "filter.cesql",
              "slow_policy",
              "end_time",
              "max_batch_size");
    }
    SubscribeRequest.Builder many = request();
    for (int i = 0; i < 65; i++) {
      many.addTopics("t" + i);
    }
    try (Subscriber subscriber = subscribe(many)) {
      assertThat(violations(subscriber.failure())).containsExactly("topics");
    }
  }

  private SubscribeRequest.Builder hostile() {
    EventFilter.Builder filter =
        EventFilter.newBuilder()
            .setSubjectPrefix("s".repeat(1025))
            .setCesql("TRUE OR ".repeat(512) + "TRUE");
    for (int i = 0; i < 65; i++) {
      filter.addTypes("t" + i);
    }
    for (int i = 0; i < 17; i++) {
      filter.putAttributes("a" + i, "v");
    }
    return request("build")
        .setStartTime(Timestamps.fromSeconds(2))
        .setEndTime(Timestamps.fromSeconds(1))
        .setLast(10_001)
        .setFilter(filter)
        .setSlowPolicyValue(99)
        .setMaxBatchSize(65);
  }

  @Test
  void dataBeyondTheLimitIsRefused() {
    PublishRequest.Builder request =
        PublishRequest.newBuilder().setNamespace(namespace).setTopic("build");
    request.getEventBuilder().setType("y").setBinaryData(ByteString.copyFrom(new byte[256 << 10]));
    harness.blocking.publish(request.build());
    request.getEventBuilder().setTextData("x".repeat((256 << 10) + 1));
    assertThatThrownBy(() -> harness.blocking.publish(request.build()))
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            failure -> {
              assertThat(Refusal.of(failure).fields())
                  .containsEntry("event.data", "too large: 262145 bytes (at most 262144)");
            });
  }

  @Test
  void anIdleSubscriberGetsCheckpointsThatPassWhatItsFilterLeavesOut() throws Exception {
    try (Subscriber subscriber = subscribe(request("build").addTypes("wanted"))) {
      String begin = subscriber.next(MessageCase.STARTED).getStarted().getResumeToken();
      publish("build", "unwanted", "1");
      String token = subscriber.next(MessageCase.CHECKPOINT).getCheckpoint().getResumeToken();
      while (token.equals(begin)) {
        token = subscriber.next(MessageCase.CHECKPOINT).getCheckpoint().getResumeToken();
      }
      try (Subscriber resumed = subscribe(request("build").setResumeToken(token))) {
        assertThat(resumed.next().hasStarted()).isTrue();
        assertThat(resumed.next().hasCaughtUp()).isTrue();
      }
    }
  }

  @Test
  void trimmedEventsAreReportedAsAGap() throws Exception {
    create("build", TopicSettings.newBuilder().setMaxEvents(3));
    String token = publish("build", "y", "0").getResumeToken();
    for (int i = 1; i <= 10; i++) {
      publish("build", "y", "" + i);
    }
    redis
        .commands()
        .getStream(new String(partition("build").logKey(), UTF_8))
        .trim(StreamTrimArgs.maxLen(3).noLimit());
    try (Subscriber subscriber = subscribe(request("build").setResumeToken(token))) {
      Gap gap = subscriber.next(MessageCase.GAP).getGap();
      assertThat(gap.getReason()).isEqualTo(GapReason.GAP_REASON_TRIMMED);
      assertThat(gap.getMissed()).isEqualTo(7);
      assertThat(texts(subscriber.deliveries(3))).containsExactly("8", "9", "10");
      try (Subscriber behind = subscribe(request("build").setResumeToken(gap.getResumeToken()))) {
        assertThat(behind.next().hasStarted()).isTrue();
        assertThat(texts(behind.deliveries(3))).containsExactly("8", "9", "10");
      }
    }
  }

  @Test
  void aLogThatWasLostIsReportedAndItsSuccessorReadFromTheBeginning() throws Exception {
    String token = publish("build", "y", "0").getResumeToken();
    try (Subscriber live = subscribe(request("build").setResumeToken(token))) {
      live.next(MessageCase.CAUGHT_UP);
      redis.flush();
      publish("build", "y", "new");
      assertThat(live.next(MessageCase.GAP).getGap().getReason())
          .isEqualTo(GapReason.GAP_REASON_EPOCH_CHANGED);
      assertThat(texts(live.deliveries(1))).containsExactly("new");
    }
    try (Subscriber later = subscribe(request("build").setResumeToken(token))) {
      assertThat(later.next(MessageCase.GAP).getGap().getReason())
          .isEqualTo(GapReason.GAP_REASON_EPOCH_CHANGED);
      assertThat(texts(later.deliveries(1))).containsExactly("new");
    }
  }

  @Test
  void aSlowReaderIsSentAwayWithATokenFromWhichNothingIsMissing() throws Exception {
    int events = 3_000;
    try (Subscriber slow =
        new Subscriber(harness.stub, request("build").setStart(beginning()).build(), false)) {
      slow.ask(3);
      for (int i = 0; i < events; i++) {
        publish("build", "y", "" + i);
      }
      Awaitility.await().until(() -> harness.pumps.open() == 0);
      slow.ask(1_000_000);
      List<String> texts = new ArrayList<>();
      GoAway away = null;
      while (away == null) {
        SubscribeResponse message = slow.next();
        texts.addAll(texts(message.getBatch().getDeliveriesList()));
        away = message.hasGoAway() ? message.getGoAway() : null;
      }
      assertThat(away.getReason()).isEqualTo(ErrorReason.ERROR_REASON_SLOW_CONSUMER);
      StatusRuntimeException failure = slow.failure();
      assertThat(failure.getStatus().getCode()).isEqualTo(io.grpc.Status.Code.RESOURCE_EXHAUSTED);
      assertThat(reason(failure)).isEqualTo("SLOW_CONSUMER");
      // Three messages were asked for, so three it got, and not the rest into a buffer.
      assertThat(texts.size()).isLessThan(3 * 64 + 1);
      try (Subscriber resumed = subscribe(request("build").setResumeToken(away.getResumeToken()))) {
        texts.addAll(texts(resumed.deliveries(events - texts.size())));
      }
      List<String> expected = new ArrayList<>();
      for (int i = 0; i < events; i++) {
        expected.add("" + i);
      }
      assertThat(texts).isEqualTo(expected);
    }
  }

  @Test
  void aStoppingServerSendsEverySubscriberAwayWithItsToken() throws Exception {
    publish("build", "y", "1");
    try (Subscriber subscriber = subscribe(request("build").setStart(beginning()))) {
      String token = subscriber.next(MessageCase.BATCH).getBatch().getResumeToken();
      harness.pumps.stop().toCompletableFuture().get(5, TimeUnit.SECONDS);
      GoAway away = subscriber.next(MessageCase.GO_AWAY).getGoAway();
      assertThat(away.getResumeToken()).isEqualTo(token);
      assertThat(away.getReason()).isEqualTo(ErrorReason.ERROR_REASON_SHUTTING_DOWN);
      assertThat(away.getRetryAfter().getNanos()).isPositive();
      StatusRuntimeException failure = subscriber.failure();
      assertThat(failure.getStatus().getCode()).isEqualTo(io.grpc.Status.Code.UNAVAILABLE);
      assertThat(reason(failure)).isEqualTo("SHUTTING_DOWN");
    }
    try (Subscriber late = subscribe(request("build"))) {
      assertThat(reason(late.failure())).isEqualTo("SHUTTING_DOWN");
    }
    assertThat(harness.pumps.open()).isZero();
  }

  @Test
  void aCancelledSubscriptionLeavesNothingBehind() throws Exception {
    try (Subscriber subscriber = subscribe(request("build"))) {
      subscriber.next(MessageCase.CAUGHT_UP);
      assertThat(harness.pumps.open()).isEqualTo(1);
    }
    Awaitility.await().until(() -> harness.pumps.open() == 0);
    Awaitility.await().until(() -> harness.logs.tails() == 0);
  }

  private void create(String topic, TopicSettings.Builder settings) {
    harness.blocking.createTopic(
        CreateTopicRequest.newBuilder()
            .setNamespace(namespace)
            .setTopic(topic)
            .setSettings(settings)
            .build());
  }

  private PublishResponse publish(String topic, String type, String text) {
    return harness.blocking.publish(
        PublishRequest.newBuilder()
            .setNamespace(namespace)
            .setTopic(topic)
            .setEvent(Event.newBuilder().setType(type).setTextData(text))
            .build());
  }

  private Partition partition(String topic) throws Exception {
    return EventHarness.NAMESPACES.locate(namespace, topic).toCompletableFuture().get();
  }

  private SubscribeRequest.Builder request(String... topics) {
    return SubscribeRequest.newBuilder().setNamespace(namespace).addAllTopics(List.of(topics));
  }

  private static StartPosition beginning() {
    return StartPosition.START_POSITION_BEGINNING;
  }

  private Subscriber subscribe(SubscribeRequest.Builder request) {
    return new Subscriber(harness.stub, request.build(), true);
  }

  private static List<String> texts(List<EventDelivery> deliveries) {
    return deliveries.stream().map(delivery -> delivery.getEvent().getTextData()).toList();
  }

  private static String reason(StatusRuntimeException failure) {
    return info(failure).getReason();
  }

  private static ErrorInfo info(StatusRuntimeException failure) {
    return detail(failure, ErrorInfo.class);
  }

  private static List<String> violations(StatusRuntimeException failure) {
    return detail(failure, BadRequest.class).getFieldViolationsList().stream()
        .map(BadRequest.FieldViolation::getField)
        .toList();
  }

  private static <T extends com.google.protobuf.Message> T detail(
      StatusRuntimeException failure, Class<T> type) {
    Status status = Objects.requireNonNull(StatusProto.fromThrowable(failure));
    try {
      for (com.google.protobuf.Any any : status.getDetailsList()) {
        if (any.is(type)) {
          return any.unpack(type);
        }
      }
    } catch (com.google.protobuf.InvalidProtocolBufferException e) {
      throw new AssertionError(e);
    }
    throw new AssertionError("no " + type + " in " + status);
  }
}
