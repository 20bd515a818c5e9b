package dev.troupe.server.agent;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.FieldMask;
import com.google.protobuf.util.Durations;
import com.google.protobuf.util.Timestamps;
import dev.troupe.server.grpc.Refusal;
import dev.troupe.v1.Agent;
import dev.troupe.v1.AgentStatus;
import dev.troupe.v1.DeregisterAgentRequest;
import dev.troupe.v1.Fence;
import dev.troupe.v1.HeartbeatOutcome;
import dev.troupe.v1.HeartbeatResponse;
import dev.troupe.v1.RegisterAgentRequest;
import dev.troupe.v1.RegisterAgentResponse;
import dev.troupe.v1.UpdateAgentRequest;
import org.junit.jupiter.api.Test;

/** How sessions begin, follow each other and end. */
interface AgentSessionContract extends AgentContract {

  @Test
  default void aSecondRegistrationEndsTheFirstSessionEverywhere() throws Exception {
    Agent first = agents().register(agents().agent("a"));
    try (HeartbeatCaller stream = agents().heartbeats(agents().channelA())) {
      assertThat(stream.beat(first)).isEqualTo(HeartbeatOutcome.HEARTBEAT_OUTCOME_EXTENDED);
      RegisterAgentResponse answer =
          agents().b().registerAgent(agents().agent("a").setType("reviewer").build());
      Agent second = answer.getAgent();
      assertThat(answer.getReplaced()).isTrue();
      assertThat(second.getFencingToken()).isGreaterThan(first.getFencingToken());
      assertThat(second.getVersion()).isEqualTo(first.getVersion() + 1);
      assertThat(second.getCreateTime()).isEqualTo(first.getCreateTime());

      stream.send(HeartbeatCaller.of(first).setStatus(AgentStatus.AGENT_STATUS_IDLE));
      HeartbeatResponse told = stream.next();
      assertThat(told.getOutcome()).isEqualTo(HeartbeatOutcome.HEARTBEAT_OUTCOME_REPLACED);
      assertThat(told.getAgentId()).isEqualTo("a");
      assertThat(told.getFencingToken()).isEqualTo(first.getFencingToken());
      assertThat(Refusal.of(() -> agents().a().updateAgent(moveTo("there", first))).what())
          .isEqualTo("FAILED_PRECONDITION STALE_SESSION");
      assertThat(Refusal.of(() -> agents().a().deregisterAgent(goodbye(first).build())).what())
          .isEqualTo("FAILED_PRECONDITION STALE_SESSION");
      assertThat(agents().get("a")).isEqualTo(second);

      assertThat(stream.beat(second)).isEqualTo(HeartbeatOutcome.HEARTBEAT_OUTCOME_EXTENDED);
      assertThat(agents().a().updateAgent(moveTo("there", second)).getAgent().getHost())
          .isEqualTo("there");
      assertThat(agents().list(agents().listing().setType("coder"))).isEmpty();
    }
  }

  @Test
  default void aRepeatedRegistrationGetsTheFirstAnswer() {
    RegisterAgentRequest request =
        agents().agent("").setRequestId("r").putLabels("one", "1").putLabels("two", "2").build();
    RegisterAgentResponse first = agents().a().registerAgent(request);
    assertThat(agents().b().registerAgent(request)).isEqualTo(first);
    // Not every language writes a map in the same order twice.
    RegisterAgentRequest reordered =
        agents().agent("").setRequestId("r").putLabels("two", "2").putLabels("one", "1").build();
    assertThat(agents().b().registerAgent(reordered)).isEqualTo(first);
    assertThat(agents().list(agents().listing())).containsExactly(first.getAgent());
    assertThat(
            Refusal.of(
                    () -> agents().a().registerAgent(request.toBuilder().setHost("other").build()))
                .what())
        .isEqualTo("ALREADY_EXISTS REQUEST_ID_REUSED");
  }

  @Test
  default void repeatedChangesGetTheirFirstAnswersEvenWhenTheAgentHasMovedOn() {
    Agent session = agents().register(agents().agent("a"));
    UpdateAgentRequest update =
        moveTo("there", session).toBuilder().setExpectedVersion(1).setRequestId("u").build();
    Agent updated = agents().a().updateAgent(update).getAgent();
    agents().a().updateAgent(moveTo("elsewhere", session));
    assertThat(agents().b().updateAgent(update).getAgent()).isEqualTo(updated);
    assertThat(agents().get("a").getHost()).isEqualTo("elsewhere");

    DeregisterAgentRequest goodbye =
        goodbye(session).clearFencingToken().setRequestId("d").setReason("done").build();
    Agent ended = agents().a().deregisterAgent(goodbye).getAgent();
    assertThat(ended.getStatus()).isEqualTo(AgentStatus.AGENT_STATUS_TERMINATED);
    Agent next = agents().register(agents().agent("a"));
    assertThat(agents().b().deregisterAgent(goodbye).getAgent()).isEqualTo(ended);
    assertThat(agents().b().updateAgent(update).getAgent()).isEqualTo(updated);
    assertThat(agents().get("a")).isEqualTo(next);
  }

  @Test
  default void anEndedSessionIsOverAndTheNextOneReplacesNothing() throws Exception {
    Agent first = agents().register(agents().agent("a"));
    Agent ended = agents().a().deregisterAgent(goodbye(first).build()).getAgent();
    assertThat(agents().get("a")).isEqualTo(ended);
    // Said twice is said once.
    assertThat(agents().b().deregisterAgent(goodbye(first).build()).getAgent()).isEqualTo(ended);
    assertThat(Refusal.of(() -> agents().a().updateAgent(moveTo("there", first))).what())
        .isEqualTo("FAILED_PRECONDITION STALE_SESSION");
    try (HeartbeatCaller stream = agents().heartbeats(agents().channelA())) {
      assertThat(stream.beat(first)).isEqualTo(HeartbeatOutcome.HEARTBEAT_OUTCOME_EXPIRED);
      assertThat(stream.beat(first.toBuilder().setAgentId("never seen").build()))
          .isEqualTo(HeartbeatOutcome.HEARTBEAT_OUTCOME_EXPIRED);
    }
    RegisterAgentResponse next = agents().b().registerAgent(agents().agent("a").build());
    assertThat(next.getReplaced()).isFalse();
    assertThat(next.getAgent().getFencingToken()).isGreaterThan(first.getFencingToken());
    assertThat(next.getAgent().getVersion()).isEqualTo(ended.getVersion() + 1);
    assertThat(next.getAgent().getCreateTime()).isEqualTo(first.getCreateTime());
  }

  @Test
  default void aLowerFenceIsRefusedByEveryWrite() {
    Fence high = Fence.newBuilder().setName("lock{1}").setToken(20).build();
    Fence low = high.toBuilder().setToken(19).build();
    Agent session = agents().register(agents().agent("a").setFence(high));
    Refusal refusal =
        Refusal.of(() -> agents().a().registerAgent(agents().agent("a").setFence(low).build()));
    assertThat(refusal.what()).isEqualTo("FAILED_PRECONDITION STALE_FENCE");
    assertThat(refusal.metadata()).containsEntry("highest_token", "20");
    assertThat(
            Refusal.of(
                    () ->
                        agents()
                            .a()
                            .updateAgent(
                                moveTo("there", session).toBuilder().setFence(low).build()))
                .what())
        .isEqualTo("FAILED_PRECONDITION STALE_FENCE");
    assertThat(
            Refusal.of(() -> agents().a().deregisterAgent(goodbye(session).setFence(low).build()))
                .what())
        .isEqualTo("FAILED_PRECONDITION STALE_FENCE");
    assertThat(agents().get("a")).isEqualTo(session);
  }

  @Test
  default void anAgentIsKeptAsItDescribedItself() {
    RegisterAgentRequest.Builder request =
        agents()
            .agent("a{b}:c/*[?]\\ü\"")
            .setType("type:{x}")
            .setStatus(AgentStatus.AGENT_STATUS_IDLE)
            .addCapabilities("status:4")
            .addCapabilities("language={go}")
            .putLabels("k:{}", "=v")
            .putLabels("empty", "")
            .setHost("host")
            .setProcessId(Long.MAX_VALUE)
            .setSoftwareVersion("1.0-rc{2} ü")
            .setProcessStartTime(Timestamps.fromNanos(1_700_000_000_123_456_789L))
            .setLeaseDuration(Durations.fromNanos(1_500_000_000L));
    RegisterAgentResponse answer = agents().a().registerAgent(request.build());
    assertThat(answer.getReplaced()).isFalse();
    assertThat(answer.getHeartbeatInterval()).isEqualTo(Durations.fromMillis(500));
    Agent agent = answer.getAgent();
    assertThat(agents().get(request.getAgentId())).isEqualTo(agent);
    assertThat(
            agent.toBuilder()
                .clearFencingToken()
                .clearCreateTime()
                .clearUpdateTime()
                .clearHeartbeatTime()
                .build())
        .isEqualTo(
            Agent.newBuilder()
                .setAgentId(request.getAgentId())
                .setType("type:{x}")
                .setStatus(AgentStatus.AGENT_STATUS_IDLE)
                .addAllCapabilities(request.getCapabilitiesList())
                .putAllLabels(request.getLabelsMap())
                .setHost("host")
                .setProcessId(Long.MAX_VALUE)
                .setSoftwareVersion("1.0-rc{2} ü")
                .setProcessStartTime(Timestamps.fromNanos(1_700_000_000_123_456_789L))
                .setVersion(1)
                .setLeaseDuration(request.getLeaseDuration())
                .build());
  }

  private UpdateAgentRequest moveTo(String host, Agent session) {
    return UpdateAgentRequest.newBuilder()
        .setNamespace(agents().namespace())
        .setAgent(Agent.newBuilder().setAgentId(session.getAgentId()).setHost(host))
        .setUpdateMask(FieldMask.newBuilder().addPaths("host"))
        .setFencingToken(session.getFencingToken())
        .build();
  }

  private DeregisterAgentRequest.Builder goodbye(Agent session) {
    return DeregisterAgentRequest.newBuilder()
        .setNamespace(agents().namespace())
        .setAgentId(session.getAgentId())
        .setFencingToken(session.getFencingToken());
  }
}
