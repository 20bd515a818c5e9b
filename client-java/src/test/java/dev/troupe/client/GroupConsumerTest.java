package dev.troupe.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.util.Durations;
import dev.troupe.server.crash.TroupeProcess;
import dev.troupe.v1.CreateGroupRequest;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.Event;
import dev.troupe.v1.EventStreamServiceGrpc;
import dev.troupe.v1.EventStreamServiceGrpc.EventStreamServiceBlockingStub;
import dev.troupe.v1.GetGroupRequest;
import dev.troupe.v1.Group;
import dev.troupe.v1.GroupDelivery;
import dev.troupe.v1.GroupSettings;
import io.grpc.ManagedChannel;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

@SuppressWarnings("NullAway.Init")
final class GroupConsumerTest {

  private static TroupeProcess server;
  private static TroupeClient client;
  private static ManagedChannel channel;
  private final String topic = "t-" + UUID.randomUUID();

  @BeforeAll
  static void start() throws Exception {
    server = new TroupeProcess();
    client = TroupeClient.connect("127.0.0.1:" + server.port);
    channel = server.channel();
  }

  @AfterAll
  static void stop() throws Exception {
    channel.shutdownNow();
    client.close();
    server.close();
  }

  @BeforeEach
  void create() {
    stub()
        .createGroup(
            CreateGroupRequest.newBuilder()
                .setTopic(topic)
                .setGroup("g")
                .setSettings(
                    GroupSettings.newBuilder()
                        .setAckDeadline(Durations.fromSeconds(1))
                        .setMaxDeliveries(50))
                .build());
  }

  private static EventStreamServiceBlockingStub stub() {
    return EventStreamServiceGrpc.newBlockingStub(channel)
        .withWaitForReady()
        .withDeadlineAfter(60, TimeUnit.SECONDS);
  }

  private Group group() {
    return stub()
        .getGroup(GetGroupRequest.newBuilder().setTopic(topic).setGroup("g").build())
        .getGroup();
  }

  private void publish(int from, int to) {
    for (int i = from; i < to; i++) {
      client
          .events()
          .publish(topic, Event.newBuilder().setId("" + i).setSource("s").setType("t").build())
          .join();
    }
  }

  private static String id(GroupDelivery delivery) {
    return delivery.getEvent().getEvent().getId();
  }

  @Test
  void whatIsHandledIsAcknowledgedAndWhatFailsComesAgain() throws Exception {
    List<String> attempts = new CopyOnWriteArrayList<>();
    try (GroupConsumer consumer =
        client
            .events()
            .consumer(topic, "g")
            .id("m")
            .start(
                delivery -> {
                  attempts.add(id(delivery) + "/" + delivery.getAttempt());
                  if (id(delivery).equals("1")) {
                    return CompletableFuture.failedFuture(EventRefusal.dead("never"));
                  }
                  if (id(delivery).equals("2") && delivery.getAttempt() == 1) {
                    throw new IllegalStateException("not\nyet");
                  }
                  return CompletableFuture.completedFuture(null);
                })) {
      publish(0, 5);
      await().until(() -> group().getAcknowledgedCount() == 4);
      assertThat(group().getDeadCount()).isEqualTo(1);
      assertThat(attempts).containsExactlyInAnyOrder("0/1", "1/1", "2/1", "2/2", "3/1", "4/1");
      consumer.stop(Duration.ofSeconds(5)).get(60, TimeUnit.SECONDS);
    }
    assertThat(group().getMembersCount()).isZero();
  }

  @Test
  void aLongHandlerKeepsItsEvent() throws Exception {
    List<CompletableFuture<Void>> running = new CopyOnWriteArrayList<>();
    try (GroupConsumer consumer =
        client
            .events()
            .consumer(topic, "g")
            .id("m")
            .credits(2)
            .start(
                delivery -> {
                  CompletableFuture<Void> one = new CompletableFuture<>();
                  running.add(one);
                  return one;
                })) {
      publish(0, 3);
      await().until(() -> running.size() == 2);
      await()
          .during(Duration.ofSeconds(3))
          .until(() -> running.size() == 2 && group().getOutstanding() == 2);
      running.forEach(one -> one.complete(null));
      await().until(() -> running.size() == 3);
      running.get(2).complete(null);
      await().until(() -> group().getAcknowledgedCount() == 3);
      assertThat(group().getRedeliveredCount()).isZero();
      assertThat(consumer.done()).isNotDone();
    }
  }

  @Test
  void nothingIsLostThoughTheServerIsKilled() throws Exception {
    Set<String> handled = ConcurrentHashMap.newKeySet();
    try (GroupConsumer consumer =
        client
            .events()
            .consumer(topic, "g")
            .id("m")
            .start(
                delivery -> {
                  handled.add(id(delivery));
                  return CompletableFuture.supplyAsync(
                      () -> null, CompletableFuture.delayedExecutor(20, TimeUnit.MILLISECONDS));
                })) {
      publish(0, 100);
      server.killAndRestart();
      publish(100, 200);
      server.killAndRestart();
      publish(200, 300);
      await().until(() -> group().getAcknowledgedCount() == 300);
      assertThat(handled).hasSize(300);
      assertThat(consumer.done()).isNotDone();
    }
  }

  @Test
  void aSecondMemberOfTheSameIdEndsTheFirst() {
    CompletionStage<Void> ready = CompletableFuture.completedFuture(null);
    GroupConsumer first = client.events().consumer(topic, "g").id("m").start(one -> ready);
    await().until(() -> group().getMembersCount() == 1);
    try (GroupConsumer second = client.events().consumer(topic, "g").id("m").start(one -> ready)) {
      await().until(() -> first.done().isCompletedExceptionally());
      Throwable failure = first.done().handle((ended, thrown) -> thrown).join();
      assertThat(TroupeClientException.of(failure).reason())
          .isEqualTo(ErrorReason.ERROR_REASON_SESSION_REPLACED);
      assertThat(second.done()).isNotDone();
    }
  }
}
