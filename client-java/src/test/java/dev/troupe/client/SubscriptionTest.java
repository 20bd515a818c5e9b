package dev.troupe.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.troupe.server.crash.TroupeProcess;
import dev.troupe.v1.AgentChangeKind;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.Event;
import dev.troupe.v1.EventDelivery;
import dev.troupe.v1.RegisterAgentRequest;
import dev.troupe.v1.StartPosition;
import dev.troupe.v1.SubscribeRequest;
import dev.troupe.v1.WatchAgentsRequest;
import dev.troupe.v1.WatchAgentsResponse;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

@SuppressWarnings("NullAway.Init")
final class SubscriptionTest {

  private static TroupeProcess server;
  private static TroupeClient client;
  private final String topic = "t-" + UUID.randomUUID();

  @BeforeAll
  static void start() throws Exception {
    server = new TroupeProcess();
    client = TroupeClient.connect("127.0.0.1:" + server.port);
  }

  @AfterAll
  static void stop() throws Exception {
    client.close();
    server.close();
  }

  @Test
  void eachEventComesOnceAndInOrderThoughTheServerIsKilledTwice() throws Exception {
    List<String> heard = new CopyOnWriteArrayList<>();
    try (Subscription subscription =
        client.events().subscribe(fromBeginning(), delivery -> heard.add(text(delivery)))) {
      publish(0, 100);
      await().until(() -> heard.size() == 100);
      server.killAndRestart();
      publish(100, 200);
      server.killAndRestart();
      publish(200, 300);
      await().until(() -> heard.size() >= 300);
      assertThat(subscription.done()).isNotDone();
    }
    assertThat(heard)
        .containsExactlyElementsOf(IntStream.range(0, 300).mapToObj(String::valueOf).toList());
  }

  @Test
  void aTokenKeptElsewhereGoesOnAfterTheLastEventTakenIn() {
    publish(0, 10);
    List<String> heard = new CopyOnWriteArrayList<>();
    Subscription first =
        client.events().subscribe(fromBeginning(), delivery -> heard.add(text(delivery)));
    await().until(() -> heard.size() == 10);
    first.close();
    assertThat(first.done()).isCompleted();
    publish(10, 20);
    try (Subscription second =
        client
            .events()
            .subscribe(
                SubscribeRequest.newBuilder()
                    .addTopics(topic)
                    .setResumeToken(first.resumeToken())
                    .build(),
                delivery -> heard.add(text(delivery)))) {
      await().until(() -> heard.size() == 20);
      assertThat(second.done()).isNotDone();
    }
    assertThat(heard).doesNotHaveDuplicates();
  }

  @Test
  void aSlowReaderGetsEverythingAtItsOwnPace() throws Exception {
    publish(0, 1_000);
    try (EventReader reader = client.blockingEvents().subscribe(fromBeginning())) {
      for (int i = 0; i < 1_000; i++) {
        Optional<EventDelivery> next = reader.next(Duration.ofSeconds(10));
        assertThat(next.map(SubscriptionTest::text)).contains(String.valueOf(i));
      }
      assertThat(reader.next(Duration.ofMillis(20))).isEmpty();
    }
  }

  @Test
  void aSubscriptionThatCannotGoOnSaysWhy() {
    Subscription subscription =
        client
            .events()
            .subscribe(
                SubscribeRequest.newBuilder().addTopics(topic).setResumeToken("nonsense").build(),
                delivery -> {});
    await().until(() -> subscription.done().isCompletedExceptionally());
    Throwable failure = subscription.done().handle((ended, thrown) -> thrown).join();
    assertThat(TroupeClientException.of(failure).reason())
        .isEqualTo(ErrorReason.ERROR_REASON_INVALID_RESUME_TOKEN);
  }

  @Test
  void whatTheListenerThrowsEndsTheSubscription() {
    publish(0, 1);
    Subscription subscription =
        client
            .events()
            .subscribe(
                fromBeginning(),
                delivery -> {
                  throw new IllegalStateException("no");
                });
    await().until(() -> subscription.done().isCompletedExceptionally());
    assertThat(subscription.done().handle((ended, thrown) -> thrown).join())
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void aFleetIsWatched() {
    List<AgentChangeKind> heard = new CopyOnWriteArrayList<>();
    String id = "agent-" + UUID.randomUUID();
    try (Subscription watch =
        client
            .agents()
            .watch(
                WatchAgentsRequest.newBuilder().addAgentIds(id).build(),
                change -> collect(change, heard))) {
      // The watch begins now, so it has to be there before the change: a checkpoint tells.
      await().until(() -> !watch.resumeToken().isEmpty());
      client
          .blockingAgents()
          .register(RegisterAgentRequest.newBuilder().setAgentId(id).setType("coder").build())
          .close();
      await().until(() -> heard.contains(AgentChangeKind.AGENT_CHANGE_KIND_DEREGISTERED));
    }
    assertThat(heard).startsWith(AgentChangeKind.AGENT_CHANGE_KIND_REGISTERED);
  }

  private static void collect(WatchAgentsResponse response, List<AgentChangeKind> heard) {
    if (response.hasChange()) {
      heard.add(response.getChange().getKind());
    }
  }

  private SubscribeRequest fromBeginning() {
    return SubscribeRequest.newBuilder()
        .addTopics(topic)
        .setStart(StartPosition.START_POSITION_BEGINNING)
        .build();
  }

  private void publish(int from, int to) {
    for (int i = from; i < to; i++) {
      client
          .blockingEvents()
          .publish(topic, Event.newBuilder().setType("n").setTextData(String.valueOf(i)).build());
    }
  }

  private static String text(EventDelivery delivery) {
    return delivery.getEvent().getTextData();
  }
}
