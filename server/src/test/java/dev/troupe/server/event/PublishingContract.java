package dev.troupe.server.event;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.server.grpc.Refusal;
import dev.troupe.v1.Durability;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.Event;
import dev.troupe.v1.EventDelivery;
import dev.troupe.v1.EventStreamServiceGrpc;
import dev.troupe.v1.EventToPublish;
import dev.troupe.v1.Fence;
import dev.troupe.v1.PublishBatchRequest;
import dev.troupe.v1.PublishResponse;
import dev.troupe.v1.PublishResult;
import dev.troupe.v1.PublishStreamRequest;
import dev.troupe.v1.PublishStreamResponse;
import dev.troupe.v1.TopicSettings;
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
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** What publishing promises, on whatever Redis, by two servers. */
abstract class PublishingContract extends TopicFixture {

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
      publisher.ended.get(60, TimeUnit.SECONDS);
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
      assertThat(answered.poll(60, TimeUnit.SECONDS)).isEqualTo("e" + i);
    }
    assertThat(answered.poll(60, TimeUnit.SECONDS)).isEqualTo("over");
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
      one.publishStreams.drain().toCompletableFuture().get(60, TimeUnit.SECONDS);
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
    CompletableFuture.allOf(all.toArray(CompletableFuture<?>[]::new)).get(60, TimeUnit.SECONDS);
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
      PublishResult result = results.poll(60, TimeUnit.SECONDS);
      if (result == null) {
        throw new AssertionError("no answer");
      }
      return result;
    }

    String failure() {
      return Refusal.of(
              () -> {
                try {
                  ended.get(60, TimeUnit.SECONDS);
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
