package dev.troupe.server.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.common.base.Ticker;
import dev.troupe.server.redis.ScriptRunner;
import dev.troupe.v1.Agent;
import dev.troupe.v1.AgentStateServiceGrpc.AgentStateServiceImplBase;
import dev.troupe.v1.HeartbeatOutcome;
import dev.troupe.v1.HeartbeatRequest;
import dev.troupe.v1.HeartbeatResponse;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.stub.StreamObserver;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Heartbeat streams of a server that stops, and before a Redis that says nothing. */
@SuppressWarnings("NullAway.Init")
final class HeartbeatStreamsTest {

  private static final int MANY = 20_000;

  private final ScheduledExecutorService timers = Executors.newScheduledThreadPool(1);
  private final FixedNamespaces namespaces = new FixedNamespaces();
  private final CompletableFuture<List<Object>> redis = new CompletableFuture<>();
  private HeartbeatStreams streams;
  private Server server;
  private ManagedChannel channel;

  @BeforeEach
  void start() throws Exception {
    // The first answer is that of a Redis that takes its time; after it all are at once.
    ScriptRunner scripts =
        (script, partition, arguments) -> redis.thenApply(go -> extended(arguments.length / 8));
    AgentScripts through = new AgentScripts(scripts);
    AgentStore store = new AgentStore(through, namespaces);
    AgentConfig config = new AgentConfig(Duration.ofHours(1), Duration.ofMillis(1), "1-2");
    streams =
        new HeartbeatStreams(
            store,
            new HeartbeatBatcher(store, config, timers),
            new CommandStore(through),
            new AgentBell(
                (partition, listener) -> new CompletableFuture<>(), Ticker.systemTicker()));
    String name = UUID.randomUUID().toString();
    server =
        InProcessServerBuilder.forName(name)
            .directExecutor()
            .addService(
                new AgentStateServiceImplBase() {
                  @Override
                  public StreamObserver<HeartbeatRequest> heartbeat(
                      StreamObserver<HeartbeatResponse> caller) {
                    return streams.open(caller);
                  }
                })
            .build()
            .start();
    channel = InProcessChannelBuilder.forName(name).directExecutor().build();
  }

  @AfterEach
  void stop() {
    channel.shutdownNow();
    server.shutdownNow();
    timers.shutdownNow();
  }

  private static List<Object> extended(int many) {
    List<Object> reply = new ArrayList<>(List.of("OK".getBytes(StandardCharsets.UTF_8)));
    for (int i = 0; i < many; i++) {
      reply.add(List.of(1L, 2L, 3L, 0L));
    }
    return reply;
  }

  @Test
  void aStreamWaitsForAnswersBeforeItTakesMoreHeartbeatsThanItShould() throws Exception {
    Agent session = Agent.newBuilder().setAgentId("1").setFencingToken(1).build();
    try (HeartbeatCaller stream = new HeartbeatCaller(channel, "t")) {
      for (int i = 0; i < MANY; i++) {
        stream.send(session);
      }
      await().until(() -> namespaces.located.get() >= 4096);
      assertThat(namespaces.located.get()).isEqualTo(4096);
      redis.complete(List.of());
      for (int i = 0; i < MANY; i++) {
        assertThat(stream.next().getOutcome())
            .isEqualTo(HeartbeatOutcome.HEARTBEAT_OUTCOME_EXTENDED);
      }
      stream.halfClose();
      stream.ended();
    }
    assertThat(namespaces.located.get()).isEqualTo(MANY);
  }

  @Test
  void aServerThatStopsSendsStreamsAwayAlsoThoseThatComeLate() throws Exception {
    try (HeartbeatCaller early = new HeartbeatCaller(channel, "t")) {
      streams.drain();
      try (HeartbeatCaller late = new HeartbeatCaller(channel, "t")) {
        for (HeartbeatCaller stream : List.of(early, late)) {
          assertThat(stream.next().getOutcome())
              .isEqualTo(HeartbeatOutcome.HEARTBEAT_OUTCOME_GO_AWAY);
          stream.ended();
        }
      }
    }
  }
}
