package dev.troupe.server.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.util.Durations;
import dev.troupe.server.grpc.Refusal;
import dev.troupe.v1.Agent;
import dev.troupe.v1.DeregisterAgentRequest;
import dev.troupe.v1.Fence;
import dev.troupe.v1.GetAgentRequest;
import dev.troupe.v1.LeasePortsRequest;
import dev.troupe.v1.LeasePortsResponse;
import dev.troupe.v1.RegisterAgentRequest;
import dev.troupe.v1.RegisterAgentResponse;
import dev.troupe.v1.ReleasePortsRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Ports, unique per host, of a range of 100. */
interface AgentPortsContract extends AgentContract {

  int FIRST = 20003;
  int LAST = 20102;

  private RegisterAgentRequest.Builder on(String host, String id, int ports) {
    return agents().agent(id).setHost(host).setPorts(ports);
  }

  private LeasePortsRequest.Builder lease(Agent session, int count) {
    return LeasePortsRequest.newBuilder()
        .setNamespace(agents().namespace())
        .setAgentId(session.getAgentId())
        .setFencingToken(session.getFencingToken())
        .setCount(count);
  }

  private ReleasePortsRequest.Builder release(Agent session, List<Integer> ports) {
    return ReleasePortsRequest.newBuilder()
        .setNamespace(agents().namespace())
        .setAgentId(session.getAgentId())
        .setFencingToken(session.getFencingToken())
        .addAllPorts(ports);
  }

  private void deregister(Agent session) {
    agents()
        .a()
        .deregisterAgent(
            DeregisterAgentRequest.newBuilder()
                .setNamespace(agents().namespace())
                .setAgentId(session.getAgentId())
                .build());
  }

  @Test
  default void allPortsOfAHostAreLeasedOnceAndComeBackWithTheirSessions() {
    List<RegisterAgentRequest> requests =
        IntStream.range(0, 25).mapToObj(i -> on("h{1}", "agent-" + i, 4).build()).toList();
    List<Agent> sessions = agents().registerAll(requests);
    Set<Integer> leased = new HashSet<>();
    for (Agent session : sessions) {
      assertThat(session.getPortsList()).hasSize(4).isSorted().allMatch(leased::add);
      assertThat(agents().get(session.getAgentId())).isEqualTo(session);
    }
    assertThat(leased)
        .isEqualTo(new HashSet<>(IntStream.rangeClosed(FIRST, LAST).boxed().toList()));

    Refusal refusal = Refusal.of(() -> agents().a().registerAgent(on("h{1}", "more", 1).build()));
    assertThat(refusal.what()).isEqualTo("RESOURCE_EXHAUSTED LIMIT_EXCEEDED");
    assertThat(refusal.metadata())
        .containsEntry("limit", "100")
        .containsEntry("host", "h{1}")
        .containsEntry("range", "20003-20102");
    assertThat(
            Refusal.of(
                    () ->
                        agents()
                            .b()
                            .getAgent(
                                GetAgentRequest.newBuilder()
                                    .setNamespace(agents().namespace())
                                    .setAgentId("more")
                                    .build()))
                .what())
        .isEqualTo("NOT_FOUND AGENT_NOT_FOUND");
    // Another host has ports of its own.
    assertThat(agents().register(on("h2", "more", 16)).getPortsList()).hasSize(16);

    deregister(sessions.get(7));
    deregister(sessions.get(20));
    assertThat(agents().get("agent-7").getPortsList()).isEmpty();
    Set<Integer> freed = new HashSet<>(sessions.get(7).getPortsList());
    freed.addAll(sessions.get(20).getPortsList());
    await()
        .pollInterval(Duration.ofMillis(20))
        .ignoreExceptions()
        .untilAsserted(
            () ->
                assertThat(new HashSet<>(agents().register(on("h{1}", "next", 8)).getPortsList()))
                    .isEqualTo(freed));
  }

  @Test
  default void aLostAgentAndOneThatIsReplacedLeaveTheirPorts() {
    Agent lost = agents().register(on("h", "lost", 16).setLeaseDuration(Durations.fromSeconds(1)));
    Agent first = agents().register(on("h", "replaced", 16));
    Agent second = agents().register(on("h", "replaced", 2));
    assertThat(second.getPortsList()).hasSize(2).doesNotContainAnyElementsOf(first.getPortsList());
    assertThat(lost.getPortsList()).hasSize(16);
    // All but those of the one session that is left.
    for (int i = 0; i < 6; i++) {
      Agent one = agents().register(on("h", "other-" + i, 0));
      await()
          .pollInterval(Duration.ofMillis(20))
          .ignoreExceptions()
          .until(() -> agents().a().leasePorts(lease(one, 16).build()).getPortsCount() == 16);
    }
    assertThat(agents().get("replaced").getPortsList()).isEqualTo(second.getPortsList());
    assertThat(agents().get("lost").getPortsList()).isEmpty();
  }

  @Test
  default void portsAreLeasedAndReleasedWithinASession() throws Exception {
    try (AgentWatcher watcher = agents().watchAll(agents().channelB())) {
      Agent session = agents().register(on("h", "a", 2));
      assertThat(watcher.change().getAgent().getPortsList()).isEqualTo(session.getPortsList());
      LeasePortsResponse more = agents().b().leasePorts(lease(session, 0).build());
      assertThat(more.getPortsList())
          .hasSize(1)
          .doesNotContainAnyElementsOf(session.getPortsList());
      List<Integer> three = new ArrayList<>(session.getPortsList());
      three.addAll(more.getPortsList());
      assertThat(more.getAgent().getPortsList()).containsExactlyInAnyOrderElementsOf(three);
      assertThat(more.getAgent().getVersion()).isEqualTo(2);
      assertThat(watcher.change().getAgent()).isEqualTo(more.getAgent());

      List<Integer> two = List.of(three.get(0), three.get(2));
      Agent left = agents().a().releasePorts(release(session, two).addPorts(1).build()).getAgent();
      assertThat(left.getPortsList()).containsExactly(three.get(1));
      assertThat(watcher.change().getAgent()).isEqualTo(left);
      // Said twice is said once.
      assertThat(agents().b().releasePorts(release(session, two).build()).getAgent())
          .isEqualTo(left);
      assertThat(agents().get("a")).isEqualTo(left);
      for (int i = 0; i < 3; i++) {
        agents().a().leasePorts(lease(session, 16).build());
      }
      agents().a().leasePorts(lease(session, 15).build());
      Refusal refusal = Refusal.of(() -> agents().a().leasePorts(lease(session, 1).build()));
      assertThat(refusal.what()).isEqualTo("RESOURCE_EXHAUSTED LIMIT_EXCEEDED");
      assertThat(refusal.metadata()).containsEntry("limit", "64").doesNotContainKey("host");
    }
  }

  @Test
  default void repeatedCallsGetTheirFirstPortsEvenWhenNoneAreFree() {
    RegisterAgentRequest register = on("h", "", 5).setRequestId("r").build();
    RegisterAgentResponse first = agents().a().registerAgent(register);
    Agent session = first.getAgent();
    LeasePortsRequest lease = lease(session, 3).setRequestId("l").build();
    LeasePortsResponse leased = agents().a().leasePorts(lease);
    assertThat(agents().b().registerAgent(register)).isEqualTo(first);
    assertThat(agents().b().leasePorts(lease)).isEqualTo(leased);
    for (int i = 0; i < 6; i++) {
      agents().register(on("h", "other-" + i, i < 5 ? 16 : 12));
    }
    assertThat(Refusal.of(() -> agents().a().leasePorts(lease(session, 1).build())).what())
        .isEqualTo("RESOURCE_EXHAUSTED LIMIT_EXCEEDED");
    assertThat(agents().b().registerAgent(register)).isEqualTo(first);
    assertThat(agents().b().leasePorts(lease)).isEqualTo(leased);
    ReleasePortsRequest release = release(session, leased.getPortsList()).setRequestId("x").build();
    Agent released = agents().a().releasePorts(release).getAgent();
    agents().register(on("h", "other-6", 3));
    assertThat(agents().b().releasePorts(release).getAgent()).isEqualTo(released);
    assertThat(agents().get("other-6").getPortsList()).isEqualTo(leased.getPortsList());
    assertThat(
            Refusal.of(() -> agents().a().leasePorts(lease.toBuilder().setCount(4).build())).what())
        .isEqualTo("ALREADY_EXISTS REQUEST_ID_REUSED");
  }

  @Test
  default void onlyTheCurrentSessionOfAnAgentWithAHostHasPorts() {
    Agent first = agents().register(on("h", "a", 1));
    Agent second = agents().register(on("h", "a", 1));
    assertThat(Refusal.of(() -> agents().a().leasePorts(lease(first, 1).build())).what())
        .isEqualTo("FAILED_PRECONDITION STALE_SESSION");
    assertThat(
            Refusal.of(
                    () -> agents().a().releasePorts(release(first, second.getPortsList()).build()))
                .what())
        .isEqualTo("FAILED_PRECONDITION STALE_SESSION");
    Fence high = Fence.newBuilder().setName("f").setToken(2).build();
    Fence low = high.toBuilder().setToken(1).build();
    agents().a().leasePorts(lease(second, 1).setFence(high).build());
    assertThat(
            Refusal.of(() -> agents().a().leasePorts(lease(second, 1).setFence(low).build()))
                .what())
        .isEqualTo("FAILED_PRECONDITION STALE_FENCE");
    assertThat(
            Refusal.of(
                    () ->
                        agents()
                            .a()
                            .releasePorts(
                                release(second, second.getPortsList()).setFence(low).build()))
                .what())
        .isEqualTo("FAILED_PRECONDITION STALE_FENCE");
    assertThat(
            Refusal.of(() -> agents().a().leasePorts(lease(first, 1).setAgentId("none").build()))
                .what())
        .isEqualTo("NOT_FOUND AGENT_NOT_FOUND");
    Agent nowhere = agents().register(agents().agent("nowhere"));
    assertThat(Refusal.of(() -> agents().a().leasePorts(lease(nowhere, 1).build())).fields())
        .containsOnlyKeys("agent_id");
    assertThat(
            Refusal.of(() -> agents().a().registerAgent(agents().agent("b").setPorts(1).build()))
                .fields())
        .containsOnlyKeys("host");
    assertThat(Refusal.of(() -> agents().a().registerAgent(on("h", "b", 17).build())).fields())
        .containsOnlyKeys("ports");
    assertThat(Refusal.of(() -> agents().a().leasePorts(lease(second, 17).build())).fields())
        .containsOnlyKeys("count");
    assertThat(
            Refusal.of(() -> agents().a().releasePorts(release(second, List.of(0, 65_536)).build()))
                .fields())
        .containsOnlyKeys("ports[0]", "ports[1]");
  }
}
