package dev.troupe.server.agent;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.FieldMask;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import com.google.protobuf.util.Timestamps;
import dev.troupe.server.grpc.Refusal;
import dev.troupe.v1.Agent;
import dev.troupe.v1.AgentStatus;
import dev.troupe.v1.DeregisterAgentRequest;
import dev.troupe.v1.FleetStatsRequest;
import dev.troupe.v1.FleetStatsResponse;
import dev.troupe.v1.ListAgentsRequest;
import dev.troupe.v1.ListAgentsResponse;
import dev.troupe.v1.RegisterAgentRequest;
import dev.troupe.v1.StatusCount;
import dev.troupe.v1.TypeCount;
import dev.troupe.v1.UpdateAgentRequest;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Lists by index, in pages. */
interface AgentListingContract extends AgentContract {

  private RegisterAgentRequest.Builder member(int i) {
    return agents()
        .agent("agent-" + i)
        .setType("type-" + i % 3)
        .setStatus(i % 2 == 0 ? AgentStatus.AGENT_STATUS_RUNNING : AgentStatus.AGENT_STATUS_IDLE)
        .addCapabilities("can-" + i % 5)
        .addCapabilities("talk")
        .putLabels("rack", "r" + i % 7)
        .putLabels("site", "here");
  }

  private List<Agent> registerMembers(int many) {
    return agents().registerAll(IntStream.range(0, many).mapToObj(i -> member(i).build()).toList());
  }

  private static Set<String> ids(int many, IntPredicate which) {
    return IntStream.range(0, many)
        .filter(which)
        .mapToObj(i -> "agent-" + i)
        .collect(Collectors.toSet());
  }

  /** The ids of all pages; one that comes twice fails here. */
  private Set<String> list(ListAgentsRequest.Builder request) {
    Set<String> ids = new HashSet<>();
    for (Agent agent : agents().list(request)) {
      assertThat(ids.add(agent.getAgentId())).isTrue();
    }
    return ids;
  }

  @Test
  default void everyMixOfConditionsFindsWhatMatchesOnceAndScansNoKeys() throws Exception {
    int many = 2500;
    registerMembers(many);
    long scans = scans();
    assertThat(list(agents().listing().setPageSize(1000))).isEqualTo(ids(many, i -> true));
    assertThat(list(agents().listing().setPageSize(333).setType("type-1")))
        .isEqualTo(ids(many, i -> i % 3 == 1));
    assertThat(
            list(
                agents()
                    .listing()
                    .setPageSize(1000)
                    .setStatus(AgentStatus.AGENT_STATUS_RUNNING)
                    .addCapabilities("talk")))
        .isEqualTo(ids(many, i -> i % 2 == 0));
    assertThat(list(agents().listing().addCapabilities("can-2").addCapabilities("talk")))
        .isEqualTo(ids(many, i -> i % 5 == 2));
    assertThat(
            list(
                agents()
                    .listing()
                    .setType("type-0")
                    .setStatus(AgentStatus.AGENT_STATUS_IDLE)
                    .addCapabilities("can-4")
                    .addCapabilities("talk")
                    .putLabels("rack", "r6")
                    .putLabels("site", "here")))
        .isEqualTo(ids(many, i -> i % 3 == 0 && i % 2 == 1 && i % 5 == 4 && i % 7 == 6));
    assertThat(list(agents().listing().addCapabilities("can-1").addCapabilities("can-2")))
        .isEmpty();
    assertThat(list(agents().listing().setType("type-3"))).isEmpty();
    assertThat(list(agents().listing().putLabels("rack", "r"))).isEmpty();
    assertThat(scans()).isEqualTo(scans);
  }

  @Test
  default void statusesAndOrdersMixWithTheOtherConditionsOverAllPages() throws Exception {
    int many = 1200;
    List<Agent> sessions = registerMembers(many);
    // Of another status each, and later than they were created.
    for (int i = 0; i < 12; i++) {
      agents()
          .a()
          .updateAgent(
              update(
                  sessions.get(i).toBuilder()
                      .setStatus(
                          i % 2 == 0
                              ? AgentStatus.AGENT_STATUS_ERROR
                              : AgentStatus.AGENT_STATUS_DRAINING)
                      .build(),
                  "status"));
    }
    Comparator<Agent> byId =
        (a, b) ->
            Arrays.compareUnsigned(
                a.getAgentIdBytes().toByteArray(), b.getAgentIdBytes().toByteArray());
    Comparator<Agent> byTime =
        Comparator.comparing(Agent::getCreateTime, Timestamps.comparator()).thenComparing(byId);
    Map<String, Comparator<Agent>> orders =
        Map.of(
            "",
            byId,
            "agent_id",
            byId,
            "agent_id desc",
            byId.reversed(),
            "create_time",
            byTime,
            "create_time desc",
            byTime.reversed());
    long scans = scans();
    for (Map.Entry<String, Comparator<Agent>> order : orders.entrySet()) {
      ListAgentsRequest.Builder request = agents().listing().setOrderBy(order.getKey());
      List<Agent> all = agents().list(request.clone().setPageSize(370));
      assertThat(all).hasSize(many).isSortedAccordingTo(order.getValue()).doesNotHaveDuplicates();
      List<Agent> some =
          agents()
              .list(
                  request
                      .clone()
                      .setPageSize(3)
                      .setType("type-1")
                      .setStatus(AgentStatus.AGENT_STATUS_ERROR)
                      .addStatuses(AgentStatus.AGENT_STATUS_DRAINING)
                      .addStatuses(AgentStatus.AGENT_STATUS_LOST)
                      .putLabels("site", "here"));
      assertThat(some)
          .isSortedAccordingTo(order.getValue())
          .extracting(Agent::getAgentId)
          .containsExactlyInAnyOrder("agent-1", "agent-4", "agent-7", "agent-10");
      assertThat(
              agents()
                  .list(
                      request
                          .clone()
                          .setPageSize(1000)
                          .addStatuses(AgentStatus.AGENT_STATUS_IDLE)
                          .addStatuses(AgentStatus.AGENT_STATUS_RUNNING)))
          .hasSize(many - 12)
          .isSortedAccordingTo(order.getValue());
      assertThat(agents().list(request.clone().addStatuses(AgentStatus.AGENT_STATUS_TERMINATED)))
          .isEmpty();
    }
    assertThat(scans()).isEqualTo(scans);
  }

  @Test
  default void theFleetIsCountedByTypeAndStatusAndByWhoIsAtWork() throws Exception {
    assertThat(fleet()).isEqualTo(FleetStatsResponse.getDefaultInstance());
    List<Agent> sessions = registerMembers(60);
    long scans = scans();
    FleetStatsResponse fleet = fleet();
    assertThat(scans()).isEqualTo(scans);
    assertThat(fleet.getAgents()).isEqualTo(60);
    assertThat(fleet.getAlive()).isEqualTo(60);
    assertThat(fleet.getBusy()).isEqualTo(30);
    assertThat(fleet.getBusyShare()).isEqualTo(0.5);
    assertThat(fleet.getStatusesList())
        .containsExactly(
            count(AgentStatus.AGENT_STATUS_RUNNING, 30), count(AgentStatus.AGENT_STATUS_IDLE, 30));
    assertThat(fleet.getTypesList())
        .extracting(TypeCount::getType)
        .containsExactly("type-0", "type-1", "type-2");
    assertThat(fleet.getTypesList())
        .allMatch(
            type ->
                type.getAgents() == 20
                    && type.getStatusesList()
                        .equals(
                            List.of(
                                count(AgentStatus.AGENT_STATUS_RUNNING, 10),
                                count(AgentStatus.AGENT_STATUS_IDLE, 10))));
    // One finds work, one is of a new type, one is registered anew, one goes.
    try (HeartbeatCaller stream = agents().heartbeats(agents().channelA())) {
      stream.send(HeartbeatCaller.of(sessions.get(1)).setCurrentTask("t"));
      stream.next();
    }
    Agent other = sessions.get(2).toBuilder().setType("another").build();
    agents().a().updateAgent(update(other, "type"));
    agents().register(member(3).setType("type-1"));
    agents()
        .a()
        .deregisterAgent(
            DeregisterAgentRequest.newBuilder()
                .setNamespace(agents().namespace())
                .setAgentId("agent-4")
                .build());
    fleet = fleet();
    assertThat(fleet.getAgents()).isEqualTo(60);
    assertThat(fleet.getAlive()).isEqualTo(59);
    assertThat(fleet.getBusy()).isEqualTo(30);
    assertThat(fleet.getBusyShare()).isEqualTo(30.0 / 59);
    assertThat(fleet.getStatusesList())
        .containsExactly(
            count(AgentStatus.AGENT_STATUS_RUNNING, 29),
            count(AgentStatus.AGENT_STATUS_IDLE, 30),
            count(AgentStatus.AGENT_STATUS_TERMINATED, 1));
    assertThat(fleet.getTypesList())
        .extracting(type -> type.getType() + " " + type.getAgents())
        .containsExactly("type-1 21", "type-0 19", "type-2 19", "another 1");
    assertThat(fleet.getTypesLeftOut()).isFalse();
  }

  private FleetStatsResponse fleet() {
    return agents()
        .b()
        .fleetStats(FleetStatsRequest.newBuilder().setNamespace(agents().namespace()).build());
  }

  private static StatusCount count(AgentStatus status, long agents) {
    return StatusCount.newBuilder().setStatus(status).setAgents(agents).build();
  }

  @Test
  default void anOrderThatIsNotKnownAndStatusesThatAreNoneAreRefused() {
    assertThat(
            Refusal.of(
                    () ->
                        agents()
                            .a()
                            .listAgents(
                                agents()
                                    .listing()
                                    .setOrderBy("heartbeat_time")
                                    .addStatusesValue(0)
                                    .addStatusesValue(9)
                                    .build()))
                .fields())
        .containsOnlyKeys("order_by", "statuses[0]", "statuses[1]");
  }

  /** How often keys were scanned, on all Redis processes together. */
  private long scans() throws IOException {
    long scans = 0;
    for (RedisWire redis : agents().masters) {
      for (String line : ((String) redis.command("INFO", "commandstats")).split("\r\n")) {
        if (line.matches("cmdstat_(h|s|z|)scan:.*|cmdstat_keys:.*|cmdstat_smembers:.*")) {
          scans += Long.parseLong(line.replaceFirst(".*calls=(\\d+),.*", "$1"));
        }
      }
    }
    return scans;
  }

  @Test
  default void agentsThatComeGoAndChangeBetweenPagesDoNotDisturbTheOthers() {
    int many = 300;
    List<Agent> sessions = registerMembers(many);
    Set<String> listed = new HashSet<>();
    ListAgentsRequest.Builder request = agents().listing().addCapabilities("talk").setPageSize(20);
    int page = 0;
    do {
      ListAgentsResponse response = agents().a().listAgents(request.build());
      for (Agent agent : response.getAgentsList()) {
        assertThat(listed.add(agent.getAgentId())).isTrue();
        assertThat(agent.getCapabilitiesList()).contains("talk");
      }
      // One falls dumb, one is registered anew, one changes otherwise, one comes.
      Agent dumb = sessions.get(3 * page).toBuilder().clearCapabilities().build();
      agents().a().updateAgent(update(dumb, "capabilities"));
      agents().register(member(3 * page + 1));
      agents().a().updateAgent(update(sessions.get(3 * page + 2), "status"));
      agents().register(member(many + page));
      page++;
      request.setPageToken(response.getNextPageToken());
    } while (!request.getPageToken().isEmpty());
    int pages = page;
    assertThat(pages).isGreaterThan(10);
    assertThat(listed).containsAll(ids(many, i -> i % 3 != 0 || i >= 3 * pages));
  }

  private UpdateAgentRequest update(Agent agent, String field) {
    return UpdateAgentRequest.newBuilder()
        .setNamespace(agents().namespace())
        .setAgent(agent)
        .setUpdateMask(FieldMask.newBuilder().addPaths(field))
        .build();
  }

  @Test
  default void aPageTokenIsGoodForItsListingOnly() {
    registerMembers(60);
    ListAgentsRequest request =
        agents()
            .listing()
            .setType("type-1")
            .addCapabilities("talk")
            .putLabels("site", "here")
            .setPageSize(5)
            .build();
    String token = agents().a().listAgents(request).getNextPageToken();
    ListAgentsRequest next = request.toBuilder().setPageToken(token).build();
    assertThat(agents().b().listAgents(next)).isEqualTo(agents().a().listAgents(next));
    // How many come at once is not what is listed.
    assertThat(agents().a().listAgents(next.toBuilder().setPageSize(7).build()).getAgentsList())
        .hasSizeGreaterThan(5);
    List<ListAgentsRequest> wrong =
        List.of(
            next.toBuilder().setNamespace(agents().namespace() + "x").build(),
            next.toBuilder().setType("type-2").build(),
            next.toBuilder().setStatus(AgentStatus.AGENT_STATUS_IDLE).build(),
            next.toBuilder().addCapabilities("can-1").build(),
            next.toBuilder().addStatuses(AgentStatus.AGENT_STATUS_IDLE).build(),
            next.toBuilder().setOrderBy("agent_id desc").build(),
            next.toBuilder().setOrderBy("create_time").build(),
            next.toBuilder().clearCapabilities().build(),
            next.toBuilder().putLabels("site", "there").build(),
            next.toBuilder().setPageToken(token.substring(1)).build(),
            next.toBuilder().setPageToken(token + "AAAA").build(),
            next.toBuilder().setPageToken("not a token").build());
    for (ListAgentsRequest each : wrong) {
      assertThat(Refusal.of(() -> agents().a().listAgents(each)).what())
          .isEqualTo("INVALID_ARGUMENT INVALID_PAGE_TOKEN");
    }
  }

  @Test
  default void aPageOfLargeAgentsFitsIntoAMessage() {
    Struct large =
        Struct.newBuilder()
            .putFields("text", Value.newBuilder().setStringValue("x".repeat(65_000)).build())
            .build();
    List<RegisterAgentRequest> requests = new ArrayList<>();
    for (int i = 0; i < 90; i++) {
      requests.add(member(i).setConfiguration(large).build());
    }
    agents().registerAll(requests);
    assertThat(list(agents().listing())).isEqualTo(ids(90, i -> true));
    assertThat(list(agents().listing().setPageSize(1000).putLabels("site", "here")))
        .isEqualTo(ids(90, i -> true));
  }

  @Test
  default void namesThatOnlyLookAlikeAreToldApart() {
    agents().register(agents().agent("1").putLabels("a", "b=c").addCapabilities("x"));
    agents().register(agents().agent("2").putLabels("a=b", "c").addCapabilities("cap:x"));
    agents().register(agents().agent("3").setType("x").putLabels("x", ""));
    assertThat(list(agents().listing().putLabels("a", "b=c"))).containsExactly("1");
    assertThat(list(agents().listing().putLabels("a=b", "c"))).containsExactly("2");
    assertThat(list(agents().listing().putLabels("x", ""))).containsExactly("3");
    assertThat(list(agents().listing().addCapabilities("x"))).containsExactly("1");
    assertThat(list(agents().listing().setType("x"))).containsExactly("3");
  }
}
