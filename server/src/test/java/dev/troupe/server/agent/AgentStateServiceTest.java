package dev.troupe.server.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.FieldMask;
import com.google.protobuf.util.Durations;
import com.google.protobuf.util.Timestamps;
import dev.troupe.server.crash.TroupeProcess;
import dev.troupe.v1.Agent;
import dev.troupe.v1.AgentChangeKind;
import dev.troupe.v1.AgentStateServiceGrpc;
import dev.troupe.v1.AgentStateServiceGrpc.AgentStateServiceBlockingStub;
import dev.troupe.v1.AgentStatus;
import dev.troupe.v1.DeregisterAgentRequest;
import dev.troupe.v1.GetAgentRequest;
import dev.troupe.v1.HeartbeatOutcome;
import dev.troupe.v1.HeartbeatRequest;
import dev.troupe.v1.HeartbeatResponse;
import dev.troupe.v1.ListAgentsRequest;
import dev.troupe.v1.RegisterAgentRequest;
import dev.troupe.v1.UpdateAgentRequest;
import dev.troupe.v1.WatchAgentsRequest;
import dev.troupe.v1.WatchAgentsResponse;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.util.Iterator;
import java.util.UUID;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The agent registry against a real server. */
@SuppressWarnings("NullAway.Init")
final class AgentStateServiceTest {

  private static TroupeProcess server;
  private static ManagedChannel channel;
  private final String id = "a{" + UUID.randomUUID() + "}:ü";

  @BeforeAll
  static void start() throws Exception {
    server = new TroupeProcess();
    channel = server.channel();
  }

  @AfterAll
  static void stop() throws Exception {
    channel.shutdownNow();
    server.close();
  }

  @Test
  void aRegisteredAgentIsFoundByWhatItIsAndCan() {
    register(RegisterAgentRequest.newBuilder().addCapabilities("gpu " + id).putLabels("k", id));
    assertThat(list(ListAgentsRequest.newBuilder().addCapabilities("gpu " + id))).isEqualTo(1);
    assertThat(list(ListAgentsRequest.newBuilder().putLabels("k", id).setType("coder")))
        .isEqualTo(1);
    assertThat(list(ListAgentsRequest.newBuilder().putLabels("k", id).setType("other"))).isZero();
    assertThat(
            list(
                ListAgentsRequest.newBuilder()
                    .putLabels("k", id)
                    .setStatus(AgentStatus.AGENT_STATUS_STARTING)))
        .isEqualTo(1);
  }

  @Test
  void aSecondRegistrationReplacesTheFirstSession() throws Exception {
    Agent first = register(RegisterAgentRequest.newBuilder());
    Agent second = register(RegisterAgentRequest.newBuilder());
    assertThat(second.getFencingToken()).isGreaterThan(first.getFencingToken());
    assertThat(second.getCreateTime()).isEqualTo(first.getCreateTime());
    assertThat(beat(first.getFencingToken(), AgentStatus.AGENT_STATUS_UNSPECIFIED).getOutcome())
        .isEqualTo(HeartbeatOutcome.HEARTBEAT_OUTCOME_REPLACED);
    HeartbeatResponse taken = beat(second.getFencingToken(), AgentStatus.AGENT_STATUS_RUNNING);
    assertThat(taken.getOutcome()).isEqualTo(HeartbeatOutcome.HEARTBEAT_OUTCOME_EXTENDED);
    assertThat(get().getStatus()).isEqualTo(AgentStatus.AGENT_STATUS_RUNNING);
  }

  @Test
  void anUpdateOfAnOldVersionIsRefused() {
    Agent agent = register(RegisterAgentRequest.newBuilder().setHost("here"));
    UpdateAgentRequest update =
        UpdateAgentRequest.newBuilder()
            .setAgent(Agent.newBuilder().setAgentId(id).setHost("there"))
            .setUpdateMask(FieldMask.newBuilder().addPaths("host"))
            .setExpectedVersion(agent.getVersion())
            .build();
    Agent changed = stub().updateAgent(update).getAgent();
    assertThat(changed.getHost()).isEqualTo("there");
    assertThat(changed.getType()).isEqualTo("coder");
    assertThatThrownBy(() -> stub().updateAgent(update))
        .isInstanceOf(StatusRuntimeException.class)
        .hasMessageContaining("ABORTED");
  }

  @Test
  void aSilentAgentIsLostWithinASecondOfItsLeaseAndWatchersHearOfIt() {
    Iterator<WatchAgentsResponse> news =
        stub().watchAgents(WatchAgentsRequest.newBuilder().addAgentIds(id).build());
    String begin = news.next().getResumeToken();
    Agent agent =
        register(RegisterAgentRequest.newBuilder().setLeaseDuration(Durations.fromSeconds(1)));
    assertThat(news.next().getChange().getKind())
        .isEqualTo(AgentChangeKind.AGENT_CHANGE_KIND_REGISTERED);
    WatchAgentsResponse lost = news.next();
    assertThat(lost.getChange().getKind()).isEqualTo(AgentChangeKind.AGENT_CHANGE_KIND_LOST);
    assertThat(
            Durations.toMillis(
                Timestamps.between(agent.getHeartbeatTime(), lost.getChange().getTime())))
        .isBetween(1000L, 2000L);
    assertThat(get().getStatus()).isEqualTo(AgentStatus.AGENT_STATUS_LOST);
    Iterator<WatchAgentsResponse> again =
        stub()
            .watchAgents(
                WatchAgentsRequest.newBuilder().addAgentIds(id).setResumeToken(begin).build());
    again.next();
    assertThat(again.next().getChange().getKind())
        .isEqualTo(AgentChangeKind.AGENT_CHANGE_KIND_REGISTERED);
  }

  @Test
  void aDeregisteredAgentIsOverAndLeavesItsStatusIndex() throws Exception {
    Agent agent = register(RegisterAgentRequest.newBuilder().putLabels("k", id));
    stub().deregisterAgent(DeregisterAgentRequest.newBuilder().setAgentId(id).build());
    assertThat(beat(agent.getFencingToken(), AgentStatus.AGENT_STATUS_IDLE).getOutcome())
        .isEqualTo(HeartbeatOutcome.HEARTBEAT_OUTCOME_EXPIRED);
    assertThat(
            list(
                ListAgentsRequest.newBuilder()
                    .putLabels("k", id)
                    .setStatus(AgentStatus.AGENT_STATUS_STARTING)))
        .isZero();
  }

  @Test
  void everythingThatIsWrongIsSaidAtOnce() {
    assertThatThrownBy(
            () ->
                stub()
                    .registerAgent(
                        RegisterAgentRequest.newBuilder()
                            .setAgentId("a\nb")
                            .setProcessId(-1)
                            .setStatus(AgentStatus.AGENT_STATUS_LOST)
                            .build()))
        .isInstanceOf(StatusRuntimeException.class)
        .hasMessageContaining("4 fields are invalid");
  }

  private static AgentStateServiceBlockingStub stub() {
    return AgentStateServiceGrpc.newBlockingStub(channel).withDeadlineAfter(30, TimeUnit.SECONDS);
  }

  private Agent register(RegisterAgentRequest.Builder request) {
    return stub().registerAgent(request.setAgentId(id).setType("coder").build()).getAgent();
  }

  private Agent get() {
    return stub().getAgent(GetAgentRequest.newBuilder().setAgentId(id).build()).getAgent();
  }

  private static int list(ListAgentsRequest.Builder request) {
    return stub().listAgents(request.build()).getAgentsCount();
  }

  private HeartbeatResponse beat(long token, AgentStatus status) throws InterruptedException {
    LinkedBlockingQueue<HeartbeatResponse> heard = new LinkedBlockingQueue<>();
    StreamObserver<HeartbeatRequest> up =
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
    up.onNext(
        HeartbeatRequest.newBuilder()
            .setAgentId(id)
            .setFencingToken(token)
            .setStatus(status)
            .build());
    HeartbeatResponse response = heard.poll(20, TimeUnit.SECONDS);
    up.onCompleted();
    assertThat(response).isNotNull();
    return response;
  }
}
