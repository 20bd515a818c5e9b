package dev.troupe.server.event;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.base.Ticker;
import dev.troupe.server.grpc.RefusedCalls;
import dev.troupe.server.redis.Namespaces;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.TestRedis;
import dev.troupe.v1.Event;
import dev.troupe.v1.EventDelivery;
import dev.troupe.v1.StartPosition;
import dev.troupe.v1.SubscribeRequest;
import dev.troupe.v1.SubscribeResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What operators are told, and how often. */
@SuppressWarnings("NullAway.Init")
final class SystemAlertsTest {

  private static TestRedis redis;
  private final RefusedCalls refused = new RefusedCalls();
  private volatile boolean away;
  private final AtomicLong nanos = new AtomicLong();

  /** Namespaces of a store that can be away. */
  private final Namespaces store =
      new Namespaces() {
        @Override
        public CompletionStage<Partition> locate(String namespace, String name) {
          return EventHarness.NAMESPACES.locate(namespace, name);
        }

        @Override
        public CompletionStage<List<Partition>> partitions(String namespace) {
          return EventHarness.NAMESPACES.partitions(namespace);
        }

        @Override
        public CompletionStage<List<String>> known() {
          return away
              ? CompletableFuture.failedFuture(new IllegalStateException("away"))
              : CompletableFuture.completedFuture(List.of());
        }
      };

  private final Ticker ticker =
      new Ticker() {
        @Override
        public long read() {
          return nanos.get();
        }
      };

  @BeforeAll
  static void start() throws Exception {
    redis = TestRedis.single();
  }

  @AfterAll
  static void stop() throws Exception {
    redis.close();
  }

  @BeforeEach
  void forget() {
    redis.flush();
  }

  @Test
  void operatorsHearThatTheStoreAnswersAgainAndForHowLongItWasAway() throws Exception {
    SystemAlerts alerts = alerts();
    look(alerts);
    assertThat(told()).isEmpty();
    away = true;
    look(alerts);
    nanos.addAndGet(Duration.ofSeconds(3).toNanos());
    look(alerts);
    away = false;
    look(alerts);
    look(alerts);
    List<Event> told = told();
    assertThat(told).hasSize(1);
    assertThat(told.get(0).getType()).isEqualTo("system.alert");
    assertThat(told.get(0).getSubject()).isEqualTo("store_recovered");
    assertThat(told.get(0).getSystemAlert().getKind()).isEqualTo("store_recovered");
    assertThat(told.get(0).getSystemAlert().getDuration().getSeconds()).isEqualTo(3);
    assertThat(told.get(0).getSystemAlert().getServer()).contains("@");
  }

  @Test
  void operatorsHearOfRefusedCallsOnceAMinuteHoweverManyServersRefuse() throws Exception {
    SystemAlerts alerts = alerts();
    SystemAlerts other = alerts();
    for (int i = 0; i < 5; i++) {
      refused.refused();
    }
    nanos.addAndGet(Duration.ofSeconds(2).toNanos());
    look(alerts);
    look(other);
    refused.refused();
    look(alerts);
    assertThat(told()).hasSize(1);
    assertThat(told().get(0).getSystemAlert().getKind()).isEqualTo("overloaded");
    assertThat(told().get(0).getSystemAlert().getRefusedCalls()).isEqualTo(5);
    // A minute later the rest is told.
    redis.commands().getKeys().deleteByPattern("*:ev:al:*");
    look(alerts);
    look(alerts);
    assertThat(told()).hasSize(2);
    assertThat(told().get(1).getSystemAlert().getRefusedCalls()).isEqualTo(1);
  }

  private SystemAlerts alerts() {
    return new SystemAlerts(redis, store, refused, ticker, null);
  }

  private static void look(SystemAlerts alerts) throws Exception {
    alerts.look().toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  private static List<Event> told() throws Exception {
    SubscribeRequest request =
        SubscribeRequest.newBuilder()
            .addTopics("troupe.system")
            .setStart(StartPosition.START_POSITION_BEGINNING)
            .build();
    List<Event> told = new ArrayList<>();
    try (EventHarness harness =
            new EventHarness(redis, Duration.ofSeconds(15), Duration.ofSeconds(30));
        Subscriber subscriber = new Subscriber(harness.stub, request, true)) {
      SubscribeResponse message = subscriber.next();
      while (!message.hasCaughtUp()) {
        message.getBatch().getDeliveriesList().stream()
            .map(EventDelivery::getEvent)
            .forEach(told::add);
        message = subscriber.next();
      }
    }
    return told;
  }
}
