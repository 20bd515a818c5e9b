package dev.troupe.server.event;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.FieldMask;
import com.google.protobuf.Timestamp;
import com.google.protobuf.util.Durations;
import com.google.protobuf.util.Timestamps;
import dev.troupe.server.grpc.Refusal;
import dev.troupe.v1.CreateTopicRequest;
import dev.troupe.v1.DeleteTopicRequest;
import dev.troupe.v1.Durability;
import dev.troupe.v1.Event;
import dev.troupe.v1.EventDelivery;
import dev.troupe.v1.EventFilter;
import dev.troupe.v1.EventToPublish;
import dev.troupe.v1.Fence;
import dev.troupe.v1.ListEventsRequest;
import dev.troupe.v1.ListEventsResponse;
import dev.troupe.v1.ListTopicsRequest;
import dev.troupe.v1.ListTopicsResponse;
import dev.troupe.v1.PublishBatchRequest;
import dev.troupe.v1.PublishRequest;
import dev.troupe.v1.ReplayEventsRequest;
import dev.troupe.v1.ReplayEventsResponse;
import dev.troupe.v1.StartPosition;
import dev.troupe.v1.SubscribeRequest;
import dev.troupe.v1.SubscribeResponse;
import dev.troupe.v1.Topic;
import dev.troupe.v1.TopicChange;
import dev.troupe.v1.TopicSettings;
import dev.troupe.v1.UpdateTopicRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** What topics, their history and replay promise, on whatever Redis, by two servers. */
abstract class TopicContract extends TopicFixture {

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
}
