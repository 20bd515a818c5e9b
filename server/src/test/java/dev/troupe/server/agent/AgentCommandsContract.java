package dev.troupe.server.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import com.google.protobuf.util.Durations;
import com.google.protobuf.util.Timestamps;
import dev.troupe.server.grpc.Refusal;
import dev.troupe.v1.Agent;
import dev.troupe.v1.AgentChange;
import dev.troupe.v1.AgentChangeKind;
import dev.troupe.v1.AgentCommand;
import dev.troupe.v1.CancelTaskCommand;
import dev.troupe.v1.CommandAgentRequest;
import dev.troupe.v1.DeregisterAgentRequest;
import dev.troupe.v1.DrainCommand;
import dev.troupe.v1.Fence;
import dev.troupe.v1.HeartbeatOutcome;
import dev.troupe.v1.HeartbeatResponse;
import dev.troupe.v1.MessageCommand;
import dev.troupe.v1.QuietCommand;
import dev.troupe.v1.TerminateCommand;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Commands down the heartbeat stream. */
interface AgentCommandsContract extends AgentContract {

  private static AgentCommand message(String type) {
    return AgentCommand.newBuilder().setMessage(MessageCommand.newBuilder().setType(type)).build();
  }

  private CommandAgentRequest.Builder to(Agent session, AgentCommand command) {
    return CommandAgentRequest.newBuilder()
        .setNamespace(agents().namespace())
        .setAgentId(session.getAgentId())
        .setCommand(command);
  }

  private AgentCommand command(Agent session, AgentCommand command) {
    return agents().b().commandAgent(to(session, command).build()).getCommand();
  }

  /** So long that no heartbeat is due while a test runs. */
  private Agent patient(String id) {
    return agents().register(agents().agent(id).setLeaseDuration(Durations.fromMinutes(10)));
  }

  /** The next commands on the stream, as many as there have to be. */
  private static List<AgentCommand> commands(HeartbeatCaller stream, Agent session, int many)
      throws InterruptedException {
    List<AgentCommand> all = new ArrayList<>();
    while (all.size() < many) {
      HeartbeatResponse response = stream.next();
      assertThat(response.getOutcome()).isEqualTo(HeartbeatOutcome.HEARTBEAT_OUTCOME_COMMAND);
      assertThat(response.getAgentId()).isEqualTo(session.getAgentId());
      assertThat(response.getFencingToken()).isEqualTo(session.getFencingToken());
      assertThat(response.getCommandsList()).isNotEmpty();
      all.addAll(response.getCommandsList());
    }
    assertThat(all).hasSize(many);
    return all;
  }

  @Test
  default void everyKindOfCommandArrivesAtOnceThroughTheOtherServer() throws Exception {
    Agent session = patient("a");
    List<AgentCommand> kinds =
        List.of(
            AgentCommand.newBuilder()
                .setDrain(DrainCommand.newBuilder().setReason("night"))
                .build(),
            AgentCommand.newBuilder().setQuiet(QuietCommand.getDefaultInstance()).build(),
            AgentCommand.newBuilder()
                .setTerminate(TerminateCommand.newBuilder().setReason("now"))
                .build(),
            AgentCommand.newBuilder()
                .setCancelTask(
                    CancelTaskCommand.newBuilder().setQueue("q").setTaskId("t").setReason("why"))
                .build(),
            AgentCommand.newBuilder()
                .setMessage(
                    MessageCommand.newBuilder()
                        .setType("x")
                        .setData(ByteString.copyFrom(new byte[16 << 10])))
                .build());
    try (HeartbeatCaller stream = agents().heartbeats(agents().channelA());
        AgentWatcher watcher = agents().watchAll(agents().channelB())) {
      assertThat(stream.beat(session)).isEqualTo(HeartbeatOutcome.HEARTBEAT_OUTCOME_EXTENDED);
      long number = 0;
      for (AgentCommand kind : kinds) {
        AgentCommand given = command(session, kind);
        assertThat(commands(stream, session, 1)).containsExactly(given);
        assertThat(given.getNumber()).isEqualTo(++number);
        assertThat(Timestamps.between(given.getCreateTime(), given.getExpireTime()))
            .isEqualTo(Durations.fromHours(1));
        assertThat(given.toBuilder().clearNumber().clearCreateTime().clearExpireTime().build())
            .isEqualTo(kind);
        AgentChange told = watcher.change();
        assertThat(told.getKind()).isEqualTo(AgentChangeKind.AGENT_CHANGE_KIND_COMMANDED);
        assertThat(told.getReason()).isEqualToIgnoringCase(kind.getCommandCase().name());
        assertThat(told.getAgent().getVersion()).isEqualTo(1);
      }
    }
  }

  @Test
  default void manyCommandsAtOnceArriveInTheirOrder() throws Exception {
    Agent session = patient("a");
    try (HeartbeatCaller stream = agents().heartbeats(agents().channelA())) {
      stream.beat(session);
      IntStream.range(0, 80)
          .parallel()
          .forEach(
              i ->
                  (i % 2 == 0 ? agents().a() : agents().b())
                      .commandAgent(to(session, message("m")).build()));
      assertThat(commands(stream, session, 80))
          .extracting(AgentCommand::getNumber)
          .containsExactlyElementsOf(LongStream.rangeClosed(1, 80).boxed().toList());
    }
  }

  @Test
  default void commandsComeAgainOnEachNewStreamUntilTheyAreAcknowledged() throws Exception {
    Agent session = patient("a");
    for (int i = 0; i < 4; i++) {
      command(session, message("m" + i));
    }
    try (HeartbeatCaller first = agents().heartbeats(agents().channelA())) {
      first.send(session);
      assertThat(first.next().getOutcome()).isEqualTo(HeartbeatOutcome.HEARTBEAT_OUTCOME_EXTENDED);
      assertThat(commands(first, session, 4)).hasSize(4);
      // Not a second time on the same stream.
      assertThat(first.beat(session)).isEqualTo(HeartbeatOutcome.HEARTBEAT_OUTCOME_EXTENDED);
    }
    try (HeartbeatCaller second = agents().heartbeats(agents().channelB())) {
      second.send(HeartbeatCaller.of(session).setAcknowledgedCommand(3));
      assertThat(second.next().getOutcome()).isEqualTo(HeartbeatOutcome.HEARTBEAT_OUTCOME_EXTENDED);
      assertThat(commands(second, session, 1))
          .extracting(AgentCommand::getNumber)
          .containsExactly(4L);
      second.send(HeartbeatCaller.of(session).setAcknowledgedCommand(4));
      assertThat(second.next().getOutcome()).isEqualTo(HeartbeatOutcome.HEARTBEAT_OUTCOME_EXTENDED);
    }
    try (HeartbeatCaller third = agents().heartbeats(agents().channelA())) {
      third.beat(session);
      AgentCommand fifth = command(session, message("m5"));
      assertThat(commands(third, session, 1)).containsExactly(fifth);
      assertThat(fifth.getNumber()).isEqualTo(5);
    }
  }

  @Test
  default void aLaterSessionNeverGetsTheCommandsOfAnEarlierOne() throws Exception {
    Agent first = patient("a");
    command(first, message("for the first"));
    Agent second = patient("a");
    try (HeartbeatCaller stream = agents().heartbeats(agents().channelA())) {
      assertThat(stream.beat(first)).isEqualTo(HeartbeatOutcome.HEARTBEAT_OUTCOME_REPLACED);
      assertThat(stream.beat(second)).isEqualTo(HeartbeatOutcome.HEARTBEAT_OUTCOME_EXTENDED);
      AgentCommand given = command(second, message("for the second"));
      assertThat(given.getNumber()).isEqualTo(1);
      assertThat(commands(stream, second, 1)).containsExactly(given);
      agents()
          .a()
          .deregisterAgent(
              DeregisterAgentRequest.newBuilder()
                  .setNamespace(agents().namespace())
                  .setAgentId("a")
                  .build());
      Agent third = patient("a");
      assertThat(stream.beat(third)).isEqualTo(HeartbeatOutcome.HEARTBEAT_OUTCOME_EXTENDED);
      assertThat(command(third, message("for the third")).getNumber()).isEqualTo(1);
      assertThat(commands(stream, third, 1).get(0).getMessage().getType())
          .isEqualTo("for the third");
    }
  }

  @Test
  default void commandsAreBoundedAndExpire() throws Exception {
    Agent session = patient("a");
    for (int i = 0; i < 99; i++) {
      command(session, message("m"));
    }
    agents()
        .b()
        .commandAgent(to(session, message("short")).setLifetime(Durations.fromSeconds(1)).build());
    Refusal refusal =
        Refusal.of(() -> agents().a().commandAgent(to(session, message("one more")).build()));
    assertThat(refusal.what()).isEqualTo("RESOURCE_EXHAUSTED LIMIT_EXCEEDED");
    assertThat(refusal.metadata()).containsEntry("limit", "100");
    // The short-lived one makes room.
    await()
        .pollInterval(Duration.ofMillis(50))
        .ignoreExceptions()
        .until(() -> command(session, message("one more")).getNumber() == 101);
    try (HeartbeatCaller stream = agents().heartbeats(agents().channelA())) {
      stream.beat(session);
      assertThat(commands(stream, session, 100))
          .extracting(AgentCommand::getNumber)
          .doesNotContain(100L)
          .contains(101L)
          .isSorted();
      stream.send(HeartbeatCaller.of(session).setAcknowledgedCommand(101));
      assertThat(stream.next().getOutcome()).isEqualTo(HeartbeatOutcome.HEARTBEAT_OUTCOME_EXTENDED);
      assertThat(command(session, message("again")).getNumber()).isEqualTo(102);
      assertThat(commands(stream, session, 1)).hasSize(1);
    }
  }

  @Test
  default void aCommandIsRefusedInWordsAndRepeatedOnlyOnce() {
    Agent first = agents().register(agents().agent("a"));
    Agent second = agents().register(agents().agent("a"));
    assertThat(
            Refusal.of(
                    () ->
                        agents()
                            .a()
                            .commandAgent(
                                to(first, message("m"))
                                    .setFencingToken(first.getFencingToken())
                                    .build()))
                .what())
        .isEqualTo("FAILED_PRECONDITION STALE_SESSION");
    assertThat(
            Refusal.of(
                    () ->
                        agents()
                            .a()
                            .commandAgent(to(first, message("m")).setAgentId("none").build()))
                .what())
        .isEqualTo("NOT_FOUND AGENT_NOT_FOUND");
    Fence high = Fence.newBuilder().setName("f").setToken(2).build();
    CommandAgentRequest request =
        to(second, message("m"))
            .setFencingToken(second.getFencingToken())
            .setRequestId("r")
            .setFence(high)
            .build();
    AgentCommand given = agents().a().commandAgent(request).getCommand();
    assertThat(agents().b().commandAgent(request).getCommand()).isEqualTo(given);
    assertThat(
            Refusal.of(
                    () ->
                        agents()
                            .a()
                            .commandAgent(
                                to(second, message("m"))
                                    .setFence(high.toBuilder().setToken(1))
                                    .build()))
                .what())
        .isEqualTo("FAILED_PRECONDITION STALE_FENCE");
    assertThat(
            Refusal.of(
                    () ->
                        agents()
                            .a()
                            .commandAgent(request.toBuilder().setCommand(message("n")).build()))
                .what())
        .isEqualTo("ALREADY_EXISTS REQUEST_ID_REUSED");
    assertThat(
            Refusal.of(
                    () ->
                        agents()
                            .a()
                            .commandAgent(
                                to(second, AgentCommand.getDefaultInstance())
                                    .setLifetime(Durations.fromDays(2))
                                    .build()))
                .fields())
        .containsOnlyKeys("command", "lifetime");
    assertThat(
            Refusal.of(
                    () ->
                        agents()
                            .a()
                            .commandAgent(
                                to(
                                        second,
                                        AgentCommand.newBuilder()
                                            .setMessage(
                                                MessageCommand.newBuilder()
                                                    .setData(
                                                        ByteString.copyFrom(
                                                            new byte[(16 << 10) + 1])))
                                            .build())
                                    .build()))
                .fields())
        .containsOnlyKeys("command.message.type", "command.message.data");
    agents()
        .a()
        .deregisterAgent(
            DeregisterAgentRequest.newBuilder()
                .setNamespace(agents().namespace())
                .setAgentId("a")
                .build());
    assertThat(Refusal.of(() -> agents().a().commandAgent(to(second, message("m")).build())).what())
        .isEqualTo("FAILED_PRECONDITION STALE_SESSION");
    // What was given is answered the same even now.
    assertThat(agents().b().commandAgent(request).getCommand()).isEqualTo(given);
  }
}
