package dev.troupe.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.troupe.server.crash.TroupeProcess;
import dev.troupe.v1.Agent;
import dev.troupe.v1.AgentStatus;
import dev.troupe.v1.HeartbeatOutcome;
import dev.troupe.v1.RegisterAgentRequest;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

@SuppressWarnings("NullAway.Init")
final class AgentSessionTest {

  private static TroupeProcess server;
  private static TroupeClient client;
  private final String id = "agent-" + UUID.randomUUID();

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
  void heartbeatsKeepAnAgentAliveAndCarryWhatItDoes() {
    try (AgentSession session = register()) {
      session.status(AgentStatus.AGENT_STATUS_RUNNING);
      session.currentTask("q/1");
      await().until(() -> get().getCurrentTask().equals("q/1"));
      assertThat(get().getStatus()).isEqualTo(AgentStatus.AGENT_STATUS_RUNNING);
      var first = get().getHeartbeatTime();
      // Well beyond one lease of a second.
      await().until(() -> get().getHeartbeatTime().getSeconds() > first.getSeconds() + 2);
      assertThat(session.lost()).isNotDone();
    }
    assertThat(get().getStatus()).isEqualTo(AgentStatus.AGENT_STATUS_TERMINATED);
  }

  @Test
  void aSecondRegistrationEndsTheFirst() {
    try (AgentSession first = register();
        AgentSession second = register()) {
      assertThat(first.lost().orTimeout(10, TimeUnit.SECONDS).join())
          .isEqualTo(HeartbeatOutcome.HEARTBEAT_OUTCOME_REPLACED);
      assertThat(second.fencingToken()).isGreaterThan(first.fencingToken());
      assertThat(second.lost()).isNotDone();
    }
  }

  @Test
  void aSessionOutlivesAKilledServer() throws Exception {
    RegisterAgentRequest request =
        RegisterAgentRequest.newBuilder()
            .setAgentId(id)
            .setType("coder")
            .setLeaseDuration(Durations.of(Duration.ofSeconds(20)))
            .build();
    try (AgentSession session = client.blockingAgents().register(request)) {
      session.currentTask("before");
      await().until(() -> get().getCurrentTask().equals("before"));
      server.killAndRestart();
      session.currentTask("after");
      await().atMost(Duration.ofSeconds(20)).until(() -> get().getCurrentTask().equals("after"));
      assertThat(get().getFencingToken()).isEqualTo(session.fencingToken());
      assertThat(session.lost()).isNotDone();
    }
  }

  private AgentSession register() {
    return client
        .blockingAgents()
        .register(
            RegisterAgentRequest.newBuilder()
                .setAgentId(id)
                .setType("coder")
                .setLeaseDuration(Durations.of(Duration.ofSeconds(1)))
                .build());
  }

  private Agent get() {
    return client.blockingAgents().get(id);
  }
}
