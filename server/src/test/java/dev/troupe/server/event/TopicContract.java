package dev.troupe.server.event;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.FieldMask;
import com.google.protobuf.Timestamp;
import com.google.protobuf.util.Durations;
import com.google.protobuf.util.Timestamps;
import dev.troupe.server.grpc.Refusal;
import dev.troupe.server.redis.TestRedis;
import dev.troupe.v1.CreateTopicRequest;
import dev.troupe.v1.DeleteTopicRequest;
import dev.troupe.v1.Durability;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.Event;
import dev.troupe.v1.EventDelivery;
import dev.troupe.v1.EventFilter;
import dev.troupe.v1.EventStreamServiceGrpc;
import dev.troupe.v1.EventToPublish;
import dev.troupe.v1.Fence;
import dev.troupe.v1.FieldViolation;
import dev.troupe.v1.GetTopicRequest;
import dev.troupe.v1.ListEventsRequest;
import dev.troupe.v1.ListEventsResponse;
import dev.troupe.v1.ListTopicsRequest;
import dev.troupe.v1.ListTopicsResponse;
import dev.troupe.v1.PublishBatchRequest;
import dev.troupe.v1.PublishRequest;
import dev.troupe.v1.PublishResponse;
import dev.troupe.v1.PublishResult;
import dev.troupe.v1.PublishStreamRequest;
import dev.troupe.v1.PublishStreamResponse;
import dev.troupe.v1.ReplayEventsRequest;
import dev.troupe.v1.ReplayEventsResponse;
import dev.troupe.v1.StartPosition;
import dev.troupe.v1.SubscribeRequest;
import dev.troupe.v1.SubscribeResponse;
import dev.troupe.v1.Topic;
import dev.troupe.v1.TopicChange;
import dev.troupe.v1.TopicSettings;
import dev.troupe.v1.UpdateTopicRequest;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** What publishing, topics, history and replay promise, on whatever Redis, by two servers. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@SuppressWarnings("NullAway.Init")
abstract class TopicContract {

  private TestRedis redis;
  private EventHarness one;
  private EventHarness other;
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
    one = new EventHarness(redis, Duration.ofSeconds(15), Duration.ofSeconds(30));
    other = new EventHarness(redis, Duration.ofSeconds(15), Duration.ofSeconds(30));
  }

  @AfterEach
  void close() {
    one.close();
    other.close();
  }

  // Publishing.

  @Test
  void aBatchIsAppendedInItsOrderAndEachBadEventIsRefusedOnItsOwn() {
    PublishBatchRequest.Builder batch = batch();
    for (int i = 0; i < 200; i++) {
      batch.addEvents(item("topic-" + i % 7, "e" + i, "" + i));
    }
    batch.setEvents(5, item("troupe.tasks", "bad", "").toBuilder());
    batch.setEvents(6, EventToPublish.newBuilder().setTopic("*"));
    batch.setEvents(
        7,
        EventToPublish.newBuilder()
            .setEvent(Event.newBuilder().setId("x".repeat(257)).setKey("k".repeat(257))));
    List<PublishResult> results = one.blocking.publishBatch(batch.build()).getResultsList();
    assertThat(results).hasSize(200);
    assertThat(fields(results.get(5))).containsExactly("events[5].topic");
    assertThat(fields(results.get(6))).containsExactly("events[6].topic", "events[6].event");
    assertThat(fields(results.get(7)))
        .containsExactly(
            "events[7].topic", "events[7].event.id", "events[7].event.type", "events[7].event.key");
    for (int i = 0; i < 200; i++) {
      assertThat(results.get(i).hasPublished()).isEqualTo(i < 5 || i > 7);
    }
    for (int topic = 0; topic < 7; topic++) {
      List<String> expected = new ArrayList<>();
      for (int i = topic; i < 200; i += 7) {
        if (i < 5 || i > 7) {
          expected.add("" + i);
        }
      }
      List<EventDelivery> kept = history("topic-" + topic);
      assertThat(texts(kept)).isEqualTo(expected);
      assertDense(kept);
    }
  }

  @Test
  void aBatchThatIsBadAsAWholeIsRefused() {
    PublishBatchRequest.Builder batch =
        PublishBatchRequest.newBuilder()
            .setNamespace("No Good")
            .setFence(Fence.getDefaultInstance());
    assertThat(Refusal.of(() -> one.blocking.publishBatch(batch.build())).fields().keySet())
        .containsExactlyInAnyOrder("namespace", "fence.name", "fence.token", "events");
    batch().addAllEvents(java.util.Collections.nCopies(257, item("t", "1", "")));
    assertThat(
            Refusal.of(
                    () ->
                        one.blocking.publishBatch(
                            batch()
                                .addAllEvents(
                                    java.util.Collections.nCopies(257, item("t", "1", "")))
                                .build()))
                .fields()
                .keySet())
        .containsExactly("events");
  }

  @Test
  void anEventIsPublishedOnceBySingleBatchAndStreamThroughAnyServer() throws Exception {
    PublishResponse first = publish(one, "t", "1", "a");
    PublishResult inBatch =
        other
            .blocking
            .publishBatch(
                batch().addEvents(item("t", "1", "b")).addEvents(item("t", "2", "c")).build())
            .getResults(0);
    assertThat(inBatch.getPublished().getDuplicate()).isTrue();
    assertThat(inBatch.getPublished().getResumeToken()).isEqualTo(first.getResumeToken());
    try (Publisher publisher = new Publisher(one)) {
      publisher.send("t", "1", "d");
      publisher.send("t", "2", "e");
      publisher.send("t", "3", "f");
      assertThat(publisher.next().getPublished().getDuplicate()).isTrue();
      assertThat(publisher.next().getPublished().getDuplicate()).isTrue();
      assertThat(publisher.next().getPublished().getDuplicate()).isFalse();
    }
    assertThat(publish(other, "t", "3", "g").getDuplicate()).isTrue();
    assertThat(texts(history("t"))).containsExactly("a", "c", "f");
  }

  @Test
  void aStreamIsAnsweredInOrderAndABadMessageDoesNotEndIt() throws Exception {
    try (Publisher publisher = new Publisher(one)) {
      for (int i = 0; i < 1000; i++) {
        if (i % 100 == 50) {
          publisher.requests.onNext(
              PublishStreamRequest.newBuilder()
                  .setNamespace(namespace)
                  .setEvent(EventToPublish.newBuilder().setTopic("troupe.x"))
                  .build());
        } else {
          publisher.send("t" + i % 3, "e" + i, "" + i);
        }
      }
      publisher.requests.onCompleted();
      for (int i = 0; i < 1000; i++) {
        PublishResult result = publisher.next();
        if (i % 100 == 50) {
          assertThat(result.getError().getReason())
              .isEqualTo(ErrorReason.ERROR_REASON_INVALID_FIELD);
          assertThat(fields(result)).containsExactly("event.topic", "event.event");
        } else {
          assertThat(result.getPublished().getEventId()).isEqualTo("e" + i);
        }
      }
      publisher.ended.get(10, TimeUnit.SECONDS);
    }
    for (int topic = 0; topic < 3; topic++) {
      List<String> expected = new ArrayList<>();
      for (int i = topic; i < 1000; i += 3) {
        if (i % 100 != 50) {
          expected.add("" + i);
        }
      }
      List<EventDelivery> kept = history("t" + topic);
      assertThat(texts(kept)).isEqualTo(expected);
      assertDense(kept);
    }
  }

  @Test
  void aPublisherThatDoesNotReadItsAnswersIsNotHeardWithoutBound() throws Exception {
    BlockingQueue<String> answered = new LinkedBlockingQueue<>();
    ClientResponseObserver<PublishStreamRequest, PublishStreamResponse> answers =
        new ClientResponseObserver<PublishStreamRequest, PublishStreamResponse>() {
          @Override
          public void beforeStart(ClientCallStreamObserver<PublishStreamRequest> requests) {
            requests.disableAutoRequestWithInitial(1);
          }

          @Override
          public void onNext(PublishStreamResponse response) {
            answered.add(response.getResult().getPublished().getEventId());
          }

          @Override
          public void onError(Throwable failure) {
            answered.add("failed: " + failure);
          }

          @Override
          public void onCompleted() {
            answered.add("over");
          }
        };
    ClientCallStreamObserver<PublishStreamRequest> publisher =
        (ClientCallStreamObserver<PublishStreamRequest>)
            EventStreamServiceGrpc.newStub(one.channel()).publishStream(answers);
    int sent = 0;
    // It pauses now and then, and stops for good when answers are left unread.
    for (int pauses = 0; pauses < 20; pauses++) {
      while (publisher.isReady() && sent < 10_000) {
        publisher.onNext(
            PublishStreamRequest.newBuilder()
                .setNamespace(namespace)
                .setEvent(item("t", "e" + sent++, "x"))
                .build());
      }
      int so = sent;
      Awaitility.await()
          .pollDelay(Duration.ofMillis(20))
          .ignoreExceptions()
          .until(() -> publisher.isReady() || sentIs(so));
    }
    assertThat(sent).isBetween(1, 600);
    publisher.request(100_000);
    publisher.onCompleted();
    for (int i = 0; i < sent; i++) {
      assertThat(answered.poll(10, TimeUnit.SECONDS)).isEqualTo("e" + i);
    }
    assertThat(answered.poll(10, TimeUnit.SECONDS)).isEqualTo("over");
    assertDense(history("t"));
  }

  /** How many events arrived; a condition to wait on. */
  private boolean sentIs(int count) {
    return history("t").size() >= count;
  }

  @Test
  void aStreamOfAStoppingServerEndsWhenWhatItSentIsAnswered() throws Exception {
    try (Publisher publisher = new Publisher(one)) {
      publisher.send("t", "1", "a");
      one.publishStreams.drain().toCompletableFuture().get(10, TimeUnit.SECONDS);
      assertThat(publisher.next().hasPublished()).isTrue();
      assertThat(publisher.failure()).isEqualTo("UNAVAILABLE SHUTTING_DOWN");
    }
    try (Publisher late = new Publisher(one)) {
      assertThat(late.failure()).isEqualTo("UNAVAILABLE SHUTTING_DOWN");
    }
  }

  @Test
  void publishersOfTwoServersShareTopicsWithoutAHoleInTheirPositions() throws Exception {
    List<CompletableFuture<?>> all = new ArrayList<>();
    for (EventHarness harness : List.of(one, other)) {
      for (int i = 0; i < 300; i++) {
        CompletableFuture<PublishResponse> answer = new CompletableFuture<>();
        harness.stub.publish(
            request("t" + i % 2, (harness == one ? "a" : "b") + i, "x"), new Answer<>(answer));
        all.add(answer);
      }
    }
    CompletableFuture.allOf(all.toArray(CompletableFuture<?>[]::new)).get(30, TimeUnit.SECONDS);
    for (String topic : List.of("t0", "t1")) {
      List<EventDelivery> kept = history(topic);
      assertThat(kept).hasSize(300);
      assertDense(kept);
      assertThat(topic(topic).getPublishedCount()).isEqualTo(300);
    }
  }

  @Test
  void aStaleFenceStopsItsEventsInABatch() {
    Fence fence = Fence.newBuilder().setName("f").setToken(9).build();
    one.blocking.publish(request("t", "1", "a").toBuilder().setFence(fence).build());
    List<PublishResult> results =
        other
            .blocking
            .publishBatch(
                batch()
                    .addEvents(item("t", "2", "b"))
                    .addEvents(item("t", "3", "b"))
                    .setFence(fence.toBuilder().setToken(8))
                    .build())
            .getResultsList();
    assertThat(results)
        .allSatisfy(
            result -> {
              assertThat(result.getError().getReason())
                  .isEqualTo(ErrorReason.ERROR_REASON_STALE_FENCE);
              assertThat(result.getError().getMetadataMap()).containsEntry("highest_token", "9");
            });
    assertThat(texts(history("t"))).containsExactly("a");
  }

  @Test
  void aReplicatedTopicAnswersWhenAReplicaHasTheEventOrThereIsNone() {
    create("t", TopicSettings.newBuilder().setDurability(Durability.DURABILITY_REPLICATED));
    for (int i = 0; i < 5; i++) {
      assertThat(publish(one, "t", "" + i, "x").getDuplicate()).isFalse();
    }
    assertThat(
            one.blocking
                .publishBatch(batch().addEvents(item("t", "b", "y")).build())
                .getResults(0)
                .hasPublished())
        .isTrue();
    assertThat(topic("t").getSettings().getDurability())
        .isEqualTo(Durability.DURABILITY_REPLICATED);
  }

  @Test
  void aReplicaThatDoesNotAnswerLeavesTheOutcomeUnknown() throws Exception {
    create("t", TopicSettings.newBuilder().setDurability(Durability.DURABILITY_REPLICATED));
    List<Integer> replicas = replicas();
    if (replicas.isEmpty()) {
      // One Redis has none; there is nobody to wait for.
      assertThat(publish(one, "t", "1", "x").getDuplicate()).isFalse();
      return;
    }
    // A replica may take the event before it falls asleep; then the next one has to tell.
    Optional<Refusal> refusal = Optional.empty();
    int tries = 0;
    while (refusal.isEmpty() && tries < 50) {
      refusal = publishWhileAsleep(replicas, Integer.toString(++tries));
    }
    assertThat(refusal.map(Refusal::what)).contains("UNAVAILABLE OUTCOME_UNKNOWN");
    assertThat(publish(other, "t", Integer.toString(tries), "x").getDuplicate()).isTrue();
    assertThat(history("t")).hasSize(tries);
  }

  private Optional<Refusal> publishWhileAsleep(List<Integer> replicas, String id)
      throws IOException {
    List<Socket> sleeping = new ArrayList<>();
    for (int port : replicas) {
      Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
      socket.getOutputStream().write("DEBUG SLEEP 1.6\r\n".getBytes(UTF_8));
      sleeping.add(socket);
    }
    Optional<Refusal> refusal = Optional.empty();
    try {
      publish(one, "t", id, "x");
    } catch (StatusRuntimeException refused) {
      refusal = Optional.of(Refusal.of(refused));
    }
    for (Socket socket : sleeping) {
      assertThat(socket.getInputStream().read()).isEqualTo('+');
      socket.close();
    }
    return refusal;
  }

  private List<Integer> replicas() throws IOException {
    List<Integer> replicas = new ArrayList<>();
    for (int port : redis.masters()) {
      try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
        socket.getOutputStream().write("INFO replication\r\nQUIT\r\n".getBytes(UTF_8));
        String said = new String(socket.getInputStream().readAllBytes(), UTF_8);
        Matcher slave = Pattern.compile("slave\\d+:ip=[^,]*,port=(\\d+)").matcher(said);
        while (slave.find()) {
          replicas.add(Integer.parseInt(slave.group(1)));
        }
      }
    }
    return replicas;
  }

  // Topics.

  @Test
  void aTopicIsThereWithItsFirstEventAndItsDefaults() {
    publish(one, "implicit", "1", "x");
    Topic topic = topic("implicit");
    assertThat(topic.getSettings())
        .isEqualTo(
            TopicSettings.newBuilder()
                .setMaxAge(Durations.fromDays(7))
                .setMaxEvents(100_000)
                .setMaxBytes(256 << 20)
                .setDurability(Durability.DURABILITY_STANDARD)
                .build());
    assertThat(topic.getVersion()).isEqualTo(1);
    assertThat(topic.getEventCount()).isEqualTo(1);
    assertThat(topic.getPublishedCount()).isEqualTo(1);
    assertThat(topic.getFirstPosition()).isEqualTo(1);
    assertThat(topic.getByteCount()).isPositive();
    assertThat(topic.getFirstTime()).isEqualTo(topic.getLastTime());
    assertThat(topic.getPartition())
        .isEqualTo(Math.floorMod("implicit".hashCode(), EventHarness.PARTITIONS));
  }

  @Test
  void aTopicIsCreatedOnceAndARepeatGetsTheFirstAnswer() {
    TopicSettings.Builder settings =
        TopicSettings.newBuilder().setMaxEvents(5).setDescription("what it is for");
    CreateTopicRequest request =
        CreateTopicRequest.newBuilder()
            .setNamespace(namespace)
            .setTopic("t")
            .setSettings(settings)
            .setRequestId("r1")
            .build();
    Topic topic = one.blocking.createTopic(request).getTopic();
    assertThat(topic.getSettings().getMaxEvents()).isEqualTo(5);
    assertThat(topic.getSettings().getDescription()).isEqualTo("what it is for");
    assertThat(topic.getEventCount()).isZero();
    assertThat(topic.hasFirstTime()).isFalse();
    assertThat(other.blocking.createTopic(request).getTopic()).isEqualTo(topic);
    assertThat(
            Refusal.of(
                    () ->
                        one.blocking.createTopic(
                            request.toBuilder().setSettings(TopicSettings.newBuilder()).build()))
                .what())
        .isEqualTo("ALREADY_EXISTS REQUEST_ID_REUSED");
    assertThat(
            Refusal.of(() -> one.blocking.createTopic(request.toBuilder().clearRequestId().build()))
                .what())
        .isEqualTo("ALREADY_EXISTS TOPIC_EXISTS");
  }

  @Test
  void anUpdateChangesWhatTheMaskNamesAndChecksTheVersion() {
    create("t", TopicSettings.newBuilder().setMaxEvents(5).setCompacted(true));
    UpdateTopicRequest request =
        UpdateTopicRequest.newBuilder()
            .setNamespace(namespace)
            .setTopic("t")
            .setSettings(
                TopicSettings.newBuilder().setMaxBytes(4096).setMaxEvents(77).setDescription("d"))
            .setUpdateMask(FieldMask.newBuilder().addPaths("max_bytes").addPaths("description"))
            .setExpectedVersion(1)
            .setRequestId("u1")
            .build();
    Topic topic = one.blocking.updateTopic(request).getTopic();
    assertThat(topic.getVersion()).isEqualTo(2);
    assertThat(topic.getSettings().getMaxBytes()).isEqualTo(4096);
    assertThat(topic.getSettings().getMaxEvents()).isEqualTo(5);
    assertThat(topic.getSettings().getCompacted()).isTrue();
    assertThat(topic.getSettings().getDescription()).isEqualTo("d");
    assertThat(other.blocking.updateTopic(request).getTopic()).isEqualTo(topic);
    Refusal stale =
        Refusal.of(
            () -> other.blocking.updateTopic(request.toBuilder().setRequestId("u2").build()));
    assertThat(stale.what()).isEqualTo("ABORTED VERSION_MISMATCH");
    assertThat(stale.metadata()).containsEntry("current_version", "2");
    Topic reset =
        one.blocking
            .updateTopic(
                UpdateTopicRequest.newBuilder()
                    .setNamespace(namespace)
                    .setTopic("t")
                    .setUpdateMask(FieldMask.newBuilder().addAllPaths(TopicCodec.PATHS))
                    .build())
            .getTopic();
    assertThat(reset.getSettings().getMaxEvents()).isEqualTo(100_000);
    assertThat(reset.getSettings().getCompacted()).isFalse();
    assertThat(reset.getSettings().getDescription()).isEmpty();
    assertThat(
            Refusal.of(
                    () ->
                        one.blocking.updateTopic(
                            request.toBuilder().setTopic("none").setRequestId("").build()))
                .what())
        .isEqualTo("NOT_FOUND TOPIC_NOT_FOUND");
  }

  @Test
  void aTopicIsDeletedAtAVersionAndARepeatGetsTheFirstAnswer() {
    create("t", TopicSettings.newBuilder());
    publish(one, "t", "1", "x");
    DeleteTopicRequest request =
        DeleteTopicRequest.newBuilder()
            .setNamespace(namespace)
            .setTopic("t")
            .setExpectedVersion(7)
            .setRequestId("d1")
            .build();
    assertThat(Refusal.of(() -> one.blocking.deleteTopic(request)).what())
        .isEqualTo("ABORTED VERSION_MISMATCH");
    DeleteTopicRequest right = request.toBuilder().setExpectedVersion(1).build();
    one.blocking.deleteTopic(right);
    other.blocking.deleteTopic(right);
    assertThat(Refusal.of(() -> one.blocking.deleteTopic(request)).what())
        .isEqualTo("ALREADY_EXISTS REQUEST_ID_REUSED");
    assertThat(Refusal.of(() -> topic("t")).what()).isEqualTo("NOT_FOUND TOPIC_NOT_FOUND");
    assertThat(Refusal.of(() -> history("t")).what()).isEqualTo("NOT_FOUND TOPIC_NOT_FOUND");
    assertThat(publish(one, "t", "1", "again").getDuplicate()).isFalse();
    assertThat(texts(history("t"))).containsExactly("again");
  }

  @Test
  void aStaleFenceStopsChangesOfTopics() {
    Fence fence = Fence.newBuilder().setName("f").setToken(9).build();
    one.blocking.createTopic(
        CreateTopicRequest.newBuilder()
            .setNamespace(namespace)
            .setTopic("t")
            .setFence(fence)
            .build());
    Fence stale = fence.toBuilder().setToken(8).build();
    List<Refusal> refusals =
        List.of(
            Refusal.of(
                () ->
                    one.blocking.updateTopic(
                        UpdateTopicRequest.newBuilder()
                            .setNamespace(namespace)
                            .setTopic("t")
                            .setUpdateMask(FieldMask.newBuilder().addPaths("compacted"))
                            .setFence(stale)
                            .build())),
            Refusal.of(
                () ->
                    one.blocking.deleteTopic(
                        DeleteTopicRequest.newBuilder()
                            .setNamespace(namespace)
                            .setTopic("t")
                            .setFence(stale)
                            .build())));
    assertThat(refusals)
        .allSatisfy(
            refusal -> {
              assertThat(refusal.what()).isEqualTo("FAILED_PRECONDITION STALE_FENCE");
              assertThat(refusal.metadata()).containsEntry("highest_token", "9");
            });
    assertThat(topic("t").getVersion()).isEqualTo(1);
  }

  @Test
  void topicsAreListedByTheirBeginningPageAfterPage() {
    for (int i = 0; i < 40; i++) {
      publish(one, "a" + i, "1", "x");
      publish(one, "b" + i, "1", "x");
    }
    List<String> names = new ArrayList<>();
    String token = "";
    int pages = 0;
    do {
      ListTopicsResponse page =
          (pages % 2 == 0 ? one : other)
              .blocking.listTopics(
                  ListTopicsRequest.newBuilder()
                      .setNamespace(namespace)
                      .setPrefix("a")
                      .setPageSize(7)
                      .setPageToken(token)
                      .build());
      page.getTopicsList().forEach(topic -> names.add(topic.getName()));
      token = page.getNextPageToken();
      pages++;
    } while (!token.isEmpty());
    assertThat(names)
        .containsExactlyInAnyOrderElementsOf(
            IntStream.range(0, 40).mapToObj(i -> "a" + i).toList());
    assertThat(pages).isBetween(6, 10);
    String bad = "bad";
    assertThat(
            Refusal.of(
                    () ->
                        one.blocking.listTopics(
                            ListTopicsRequest.newBuilder()
                                .setNamespace(namespace)
                                .setPageToken(bad)
                                .build()))
                .what())
        .isEqualTo("INVALID_ARGUMENT INVALID_PAGE_TOKEN");
  }

  @Test
  void badRequestsAreRefusedWithAllViolations() {
    TopicSettings.Builder settings =
        TopicSettings.newBuilder()
            .setMaxAge(Durations.fromMillis(999))
            .setMaxEvents(-1)
            .setMaxBytes(1023)
            .setDurabilityValue(9)
            .setDescription("d".repeat(1025));
    String[] inSettings = {
      "settings.max_age",
      "settings.max_events",
      "settings.max_bytes",
      "settings.durability",
      "settings.description"
    };
    assertThat(
            Refusal.of(
                    () ->
                        one.blocking.createTopic(
                            CreateTopicRequest.newBuilder()
                                .setNamespace("No Good")
                                .setTopic("inbox.a")
                                .setSettings(settings)
                                .setRequestId("r".repeat(129))
                                .setFence(Fence.newBuilder().setName("f"))
                                .build()))
                .fields()
                .keySet())
        .contains("namespace", "topic", "request_id", "fence.token")
        .contains(inSettings);
    assertThat(
            Refusal.of(
                    () ->
                        one.blocking.updateTopic(
                            UpdateTopicRequest.newBuilder()
                                .setSettings(settings)
                                .setExpectedVersion(-1)
                                .setUpdateMask(
                                    FieldMask.newBuilder()
                                        .addPaths("max_age")
                                        .addPaths("no_such_field"))
                                .build()))
                .fields()
                .keySet())
        .containsExactlyInAnyOrder(
            "topic", "expected_version", "update_mask.paths[1]", "settings.max_age");
    assertThat(
            Refusal.of(
                    () ->
                        one.blocking.listEvents(
                            ListEventsRequest.newBuilder()
                                .setTopic("troupe.tasks")
                                .setStartTime(Timestamp.newBuilder().setNanos(-1))
                                .setEndTime(Timestamp.newBuilder().setNanos(-1))
                                .setFilter(EventFilter.newBuilder().addTypes("").setCesql("=="))
                                .setPageSize(501)
                                .build()))
                .fields()
                .keySet())
        .containsExactlyInAnyOrder(
            "topic", "start_time", "end_time", "filter.types[0]", "filter.cesql", "page_size");
    assertThat(
            Refusal.of(
                    () ->
                        one.blocking.replayEvents(
                            ReplayEventsRequest.newBuilder()
                                .setTopic("a*")
                                .setToTopic("a*")
                                .build()))
                .fields()
                .keySet())
        .containsExactly("to_topic");
  }

  @Test
  void changesOfTopicsAreTold() throws Exception {
    create("t", TopicSettings.newBuilder().setMaxEvents(5));
    one.blocking.updateTopic(
        UpdateTopicRequest.newBuilder()
            .setNamespace(namespace)
            .setTopic("t")
            .setSettings(
                TopicSettings.newBuilder()
                    .setMaxAge(Durations.fromMillis(1500))
                    .setCompacted(true)
                    .setDurability(Durability.DURABILITY_REPLICATED)
                    .setDescription("d"))
            .setUpdateMask(
                FieldMask.newBuilder()
                    .addPaths("max_age")
                    .addPaths("compacted")
                    .addPaths("durability")
                    .addPaths("description"))
            .build());
    final Topic updated = topic("t");
    one.blocking.deleteTopic(
        DeleteTopicRequest.newBuilder().setNamespace(namespace).setTopic("t").build());
    publish(one, "t", "1", "x");
    SubscribeRequest request =
        SubscribeRequest.newBuilder()
            .setNamespace(namespace)
            .addTopics("troupe.topics")
            .setStart(StartPosition.START_POSITION_BEGINNING)
            .build();
    try (Subscriber subscriber = new Subscriber(other.stub, request, true)) {
      List<EventDelivery> told = new ArrayList<>();
      while (told.size() < 4) {
        SubscribeResponse message = subscriber.next();
        told.addAll(message.getBatch().getDeliveriesList());
      }
      assertThat(told)
          .extracting(delivery -> delivery.getEvent().getType())
          .containsExactly("topic.created", "topic.updated", "topic.deleted", "topic.created");
      List<TopicChange> changes =
          told.stream().map(delivery -> delivery.getEvent().getTopicChange()).toList();
      assertThat(changes).allSatisfy(change -> assertThat(change.getTopic()).isEqualTo("t"));
      assertThat(changes.get(0).getSettings().getMaxEvents()).isEqualTo(5);
      assertThat(changes.get(1).getSettings()).isEqualTo(updated.getSettings());
      assertThat(changes.get(3).getSettings().getMaxEvents()).isEqualTo(100_000);
    }
  }

  // History.

  @Test
  void historyIsReadByTimeAndFilterInBothDirections() throws Exception {
    List<Long> times = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      Event.Builder event =
          Event.newBuilder()
              .setId("" + i)
              .setType(i % 2 == 0 ? "build.started" : "build.done")
              .setSubject(i < 3 ? "repo/a" : "repo/b")
              .setTextData("" + i)
              .putAttributes("n", "" + i % 3);
      one.blocking.publish(
          PublishRequest.newBuilder()
              .setNamespace(namespace)
              .setTopic("t")
              .setEvent(event)
              .build());
      List<EventDelivery> sofar = history("t");
      long accepted = Timestamps.toMillis(sofar.get(i).getAcceptTime());
      times.add(accepted);
      // Entries of the same millisecond would share a time.
      Awaitility.await().until(() -> redisMillis() > accepted);
    }
    assertThat(listed(list("t"))).containsExactly("0", "1", "2", "3", "4", "5");
    assertThat(listed(list("t").setNewestFirst(true)))
        .containsExactly("5", "4", "3", "2", "1", "0");
    Timestamp second = Timestamps.fromMillis(times.get(2));
    Timestamp fifth = Timestamps.fromMillis(times.get(5));
    assertThat(listed(list("t").setStartTime(second).setEndTime(fifth)))
        .containsExactly("2", "3", "4");
    assertThat(listed(list("t").setStartTime(second).setEndTime(fifth).setNewestFirst(true)))
        .containsExactly("4", "3", "2");
    assertThat(listed(list("t").setEndTime(Timestamps.fromMillis(0)))).isEmpty();
    assertThat(listed(list("t").setFilter(EventFilter.newBuilder().addTypes("*.done"))))
        .containsExactly("1", "3", "5");
    assertThat(listed(list("t").setFilter(EventFilter.newBuilder().setSubjectPrefix("repo/b"))))
        .containsExactly("3", "4", "5");
    assertThat(
            listed(
                list("t")
                    .setFilter(
                        EventFilter.newBuilder()
                            .putAttributes("n", "1")
                            .putAttributes("type", "build.started"))))
        .containsExactly("4");
    assertThat(
            listed(
                list("t")
                    .setFilter(EventFilter.newBuilder().setCesql("n = '0' OR subject LIKE '%a'"))))
        .containsExactly("0", "1", "2", "3");
  }

  private long redisMillis() throws Exception {
    return one.topics
            .read(
                EventHarness.NAMESPACES.locate(namespace, "t").toCompletableFuture().get(),
                "t",
                false,
                "-",
                "+",
                1)
            .toCompletableFuture()
            .get()
            .nowMicros()
        / 1000;
  }

  @Test
  void historyComesInPagesBelowWhatClientsTake() {
    for (int part = 0; part < 2; part++) {
      PublishBatchRequest.Builder batch = batch();
      for (int i = 0; i < 100; i++) {
        batch.addEvents(item("t", part + "-" + i, "x".repeat(20_000) + "." + (part * 100 + i)));
      }
      one.blocking.publishBatch(batch.build());
    }
    for (boolean newestFirst : List.of(false, true)) {
      List<EventDelivery> all = new ArrayList<>();
      String token = "";
      int pages = 0;
      do {
        ListEventsResponse page =
            (pages % 2 == 0 ? one : other)
                .blocking.listEvents(
                    list("t")
                        .setNewestFirst(newestFirst)
                        .setPageSize(90)
                        .setPageToken(token)
                        .build());
        assertThat(page.getSerializedSize()).isLessThan(2 << 20);
        all.addAll(page.getDeliveriesList());
        token = page.getNextPageToken();
        pages++;
      } while (!token.isEmpty());
      assertThat(all.stream().map(EventDelivery::getTopicPosition).toList())
          .containsExactlyElementsOf(
              LongStream.rangeClosed(1, 200).mapToObj(i -> newestFirst ? 201 - i : i).toList());
      assertThat(pages).isBetween(4, 8);
    }
    assertThat(
            Refusal.of(() -> one.blocking.listEvents(list("t").setPageToken("no").build())).what())
        .isEqualTo("INVALID_ARGUMENT INVALID_PAGE_TOKEN");
  }

  @Test
  void aTokenOfHistoryResumesASubscription() throws Exception {
    publish(one, "t", "1", "a");
    publish(one, "t", "2", "b");
    publish(one, "t", "3", "c");
    String token = one.blocking.listEvents(list("t").setPageSize(1).build()).getResumeToken();
    SubscribeRequest request =
        SubscribeRequest.newBuilder()
            .setNamespace(namespace)
            .addTopics("t")
            .setResumeToken(token)
            .build();
    try (Subscriber subscriber = new Subscriber(other.stub, request, true)) {
      assertThat(texts(subscriber.deliveries(2))).containsExactly("b", "c");
    }
  }

  @Test
  void eventsAreReplayedIntoAnotherTopicOnceHoweverOftenAStepIsRepeated() {
    PublishBatchRequest.Builder batch = batch();
    for (int i = 0; i < 150; i++) {
      EventToPublish.Builder item = item("from", "" + i, "" + i).toBuilder();
      item.getEventBuilder().setType(i % 3 == 0 ? "third" : "other");
      batch.addEvents(item);
    }
    one.blocking.publishBatch(batch.build());
    ReplayEventsRequest.Builder request =
        ReplayEventsRequest.newBuilder()
            .setNamespace(namespace)
            .setTopic("from")
            .setToTopic("to")
            .setFilter(EventFilter.newBuilder().addTypes("third"));
    int appended = 0;
    int duplicates = 0;
    String token = "";
    do {
      ReplayEventsResponse step = one.blocking.replayEvents(request.setPageToken(token).build());
      ReplayEventsResponse again = other.blocking.replayEvents(request.build());
      assertThat(again.getAppended()).isZero();
      assertThat(again.getDuplicates()).isEqualTo(step.getAppended());
      appended += step.getAppended();
      duplicates += step.getDuplicates();
      token = step.getNextPageToken();
      // What is published meanwhile is not replayed, or one could replay in a circle.
      publish(one, "from", "late" + token, "late");
    } while (!token.isEmpty());
    assertThat(appended).isEqualTo(50);
    assertThat(duplicates).isZero();
    List<EventDelivery> kept = history("to");
    assertThat(kept).hasSize(50);
    assertDense(kept);
    assertThat(kept.get(1).getEvent())
        .isEqualTo(
            history("from").stream()
                .filter(delivery -> delivery.getEvent().getId().equals("3"))
                .findFirst()
                .orElseThrow()
                .getEvent());
    assertThat(
            Refusal.of(
                    () ->
                        one.blocking.replayEvents(
                            request.setTopic("none").setPageToken("").build()))
                .what())
        .isEqualTo("NOT_FOUND TOPIC_NOT_FOUND");
  }

  // What the tests say to the servers.

  private PublishBatchRequest.Builder batch() {
    return PublishBatchRequest.newBuilder().setNamespace(namespace);
  }

  private static EventToPublish item(String topic, String id, String text) {
    return EventToPublish.newBuilder()
        .setTopic(topic)
        .setEvent(Event.newBuilder().setId(id).setSource("s").setType("t").setTextData(text))
        .build();
  }

  private PublishRequest request(String topic, String id, String text) {
    return PublishRequest.newBuilder()
        .setNamespace(namespace)
        .setTopic(topic)
        .setEvent(item(topic, id, text).getEvent())
        .build();
  }

  private PublishResponse publish(EventHarness harness, String topic, String id, String text) {
    return harness.blocking.publish(request(topic, id, text));
  }

  private void create(String topic, TopicSettings.Builder settings) {
    one.blocking.createTopic(
        CreateTopicRequest.newBuilder()
            .setNamespace(namespace)
            .setTopic(topic)
            .setSettings(settings)
            .build());
  }

  private Topic topic(String name) {
    return other
        .blocking
        .getTopic(GetTopicRequest.newBuilder().setNamespace(namespace).setTopic(name).build())
        .getTopic();
  }

  private ListEventsRequest.Builder list(String topic) {
    return ListEventsRequest.newBuilder().setNamespace(namespace).setTopic(topic);
  }

  private List<String> listed(ListEventsRequest.Builder request) {
    return texts(other.blocking.listEvents(request.build()).getDeliveriesList());
  }

  private List<EventDelivery> history(String topic) {
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

  private static List<String> texts(List<EventDelivery> deliveries) {
    return deliveries.stream().map(delivery -> delivery.getEvent().getTextData()).toList();
  }

  private static List<String> fields(PublishResult result) {
    return result.getError().getViolationsList().stream().map(FieldViolation::getField).toList();
  }

  private static void assertDense(List<EventDelivery> kept) {
    assertThat(kept.stream().map(EventDelivery::getTopicPosition).toList())
        .containsExactlyElementsOf(LongStream.rangeClosed(1, kept.size()).boxed().toList());
  }

  private record Answer<T>(CompletableFuture<T> answer) implements StreamObserver<T> {

    @Override
    public void onNext(T value) {
      answer.complete(value);
    }

    @Override
    public void onError(Throwable failure) {
      answer.completeExceptionally(failure);
    }

    @Override
    public void onCompleted() {}
  }

  /** One stream of a publisher. */
  private final class Publisher implements StreamObserver<PublishStreamResponse>, AutoCloseable {

    private final BlockingQueue<PublishResult> results = new LinkedBlockingQueue<>();
    private final CompletableFuture<Void> ended = new CompletableFuture<>();
    private final StreamObserver<PublishStreamRequest> requests;

    Publisher(EventHarness harness) {
      requests = EventStreamServiceGrpc.newStub(harness.channel()).publishStream(this);
    }

    void send(String topic, String id, String text) {
      requests.onNext(
          PublishStreamRequest.newBuilder()
              .setNamespace(namespace)
              .setEvent(item(topic, id, text))
              .build());
    }

    PublishResult next() throws InterruptedException {
      PublishResult result = results.poll(10, TimeUnit.SECONDS);
      if (result == null) {
        throw new AssertionError("no answer");
      }
      return result;
    }

    String failure() {
      return Refusal.of(
              () -> {
                try {
                  ended.get(10, TimeUnit.SECONDS);
                } catch (java.util.concurrent.ExecutionException e) {
                  throw e.getCause() == null ? e : e.getCause();
                }
              })
          .what();
    }

    @Override
    public void onNext(PublishStreamResponse response) {
      results.add(response.getResult());
    }

    @Override
    public void onError(Throwable failure) {
      ended.completeExceptionally(failure);
    }

    @Override
    public void onCompleted() {
      ended.complete(null);
    }

    @Override
    public void close() {
      if (!ended.isDone()) {
        requests.onError(new IllegalStateException("the test is over"));
      }
    }
  }
}
