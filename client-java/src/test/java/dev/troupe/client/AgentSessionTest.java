package dev.troupe.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.troupe.server.crash.TroupeProcess;
import dev.troupe.v1.Agent;
import dev.troupe.v1.AgentCommand;
import dev.troupe.v1.AgentMetrics;
import dev.troupe.v1.AgentStateServiceGrpc;
import dev.troupe.v1.AgentStatus;
import dev.troupe.v1.CommandAgentRequest;
import dev.troupe.v1.DrainCommand;
import dev.troupe.v1.HeartbeatOutcome;
import dev.troupe.v1.HeartbeatRequest;
import dev.troupe.v1.HeartbeatResponse;
import dev.troupe.v1.RegisterAgentRequest;
import io.grpc.ManagedChannel;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
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
      await().until(() -> get().getCurrentTask().equals("after"));
      assertThat(get().getFencingToken()).isEqualTo(session.fencingToken());
      assertThat(session.lost()).isNotDone();
    }
  }

  @Test
  void commandsComeOnceEachAndInOrderAlsoWhenTheServerIsKilled() throws Exception {
    RegisterAgentRequest request =
        RegisterAgentRequest.newBuilder()
            .setAgentId(id)
            .setType("coder")
            .setHost("host-" + id)
            .setPorts(2)
            .setLeaseDuration(Durations.of(Duration.ofSeconds(20)))
            .build();
    List<Long> heard = new CopyOnWriteArrayList<>();
    try (AgentSession session = client.blockingAgents().register(request)) {
      assertThat(session.agent().getPortsList()).hasSize(2);
      session.metrics(() -> AgentMetrics.newBuilder().setMemoryBytes(42).build());
      await().until(() -> get().getMetrics().getMemoryBytes() == 42);
      // Nobody listens yet.
      assertThat(command().getNumber()).isEqualTo(1);
      await().pollInterval(Duration.ofMillis(20)).until(() -> pending(session) == 1);
      session.onCommand(
          command -> {
            heard.add(command.getNumber());
            if (command.getNumber() == 2) {
              throw new IllegalStateException("handled all the same");
            }
          });
      command();
      await().until(() -> heard.equals(List.of(1L, 2L)));
      await().until(() -> pending(session) == 0);
      server.killAndRestart();
      command();
      command();
      await().until(() -> heard.size() == 4);
      assertThat(heard).containsExactly(1L, 2L, 3L, 4L);
      assertThat(client.blockingAgents().fleetStats().getAlive()).isPositive();
    }
  }

  private AgentCommand command() {
    return client
        .blockingAgents()
        .command(
            CommandAgentRequest.newBuilder()
                .setAgentId(id)
                .setCommand(AgentCommand.newBuilder().setDrain(DrainCommand.getDefaultInstance()))
                .build());
  }

  /** How many commands a new stream would get. */
  private int pending(AgentSession session) throws Exception {
    BlockingQueue<HeartbeatResponse> heard = new LinkedBlockingQueue<>();
    ManagedChannel channel = server.channel();
    try {
      StreamObserver<HeartbeatRequest> stream =
          AgentStateServiceGrpc.newStub(channel)
              .heartbeat(
                  new StreamObserver<>() {
                    @Override
                    public void onNext(HeartbeatResponse response) {
                      heard.add(response);
                    }

                    @Override
                    public void onError(Throwable failure) {}

                    @Override
                    public void onCompleted() {}
                  });
      HeartbeatRequest beat =
          HeartbeatRequest.newBuilder()
              .setAgentId(id)
              .setFencingToken(session.fencingToken())
              .build();
      int commands = 0;
      // By the answer to the second one, what came with the first has arrived.
      for (int i = 0; i < 2; i++) {
        stream.onNext(beat);
        HeartbeatResponse response = heard.poll(60, TimeUnit.SECONDS);
        while (response != null
            && response.getOutcome() == HeartbeatOutcome.HEARTBEAT_OUTCOME_COMMAND) {
          commands += response.getCommandsCount();
          response = heard.poll(60, TimeUnit.SECONDS);
        }
      }
      return commands;
    } finally {
      channel.shutdownNow();
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
