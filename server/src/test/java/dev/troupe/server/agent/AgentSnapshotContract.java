package dev.troupe.server.agent;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.FieldMask;
import dev.troupe.v1.Agent;
import dev.troupe.v1.AgentChange;
import dev.troupe.v1.AgentChangeKind;
import dev.troupe.v1.AgentMetrics;
import dev.troupe.v1.RegisterAgentRequest;
import dev.troupe.v1.UpdateAgentRequest;
import dev.troupe.v1.WatchAgentsRequest;
import dev.troupe.v1.WatchAgentsResponse;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** A watch that begins with what there is. */
interface AgentSnapshotContract extends AgentContract {

  /** The agents of a snapshot, by id, up to its end; each comes once and without a token. */
  private static Map<String, Agent> snapshot(AgentWatcher watcher) throws InterruptedException {
    Map<String, Agent> agents = new HashMap<>();
    while (true) {
      WatchAgentsResponse response = watcher.next();
      if (response.getSnapshotComplete()) {
        assertThat(response.hasChange()).isFalse();
        assertThat(response.getResumeToken()).isNotEmpty();
        return agents;
      }
      assertThat(response.getResumeToken()).isEmpty();
      AgentChange change = response.getChange();
      if (response.hasChange()) {
        assertThat(change.getKind()).isEqualTo(AgentChangeKind.AGENT_CHANGE_KIND_SNAPSHOT);
        assertThat(agents.put(change.getAgent().getAgentId(), change.getAgent())).isNull();
      }
    }
  }

  private List<Agent> registerMembers(int many) {
    List<RegisterAgentRequest> requests =
        IntStream.range(0, many)
            .mapToObj(i -> agents().agent("agent-" + i).setType("type-" + i % 3).build())
            .toList();
    return agents().registerAll(requests);
  }

  private void move(String id, String host) {
    agents()
        .a()
        .updateAgent(
            UpdateAgentRequest.newBuilder()
                .setNamespace(agents().namespace())
                .setAgent(Agent.newBuilder().setAgentId(id).setHost(host))
                .setUpdateMask(FieldMask.newBuilder().addPaths("host"))
                .build());
  }

  @Test
  default void aSnapshotTakenWhileEverythingChangesLeadsIntoTheChangesWithoutAGap()
      throws Exception {
    int many = 400;
    registerMembers(many);
    AtomicBoolean enough = new AtomicBoolean();
    CompletableFuture<Void> changing =
        CompletableFuture.runAsync(
            () -> {
              for (int i = 0; !enough.get(); i++) {
                move("agent-" + i * 7 % many, "host-" + i);
                if (i % 20 == 0) {
                  agents().register(agents().agent("new-" + i));
                }
              }
            });
    try (AgentWatcher watcher =
        new AgentWatcher(agents().channelB(), agents().watch().setSnapshot(true).build())) {
      Map<String, Agent> seen = snapshot(watcher);
      assertThat(seen).hasSizeGreaterThanOrEqualTo(many);
      for (int i = 0; i < 100; i++) {
        follow(watcher, seen);
      }
      enough.set(true);
      changing.join();
      agents().register(agents().agent("the last"));
      // With several partitions what is logged last need not come last.
      Map<String, Agent> there = new HashMap<>();
      agents()
          .list(agents().listing().setPageSize(1000))
          .forEach(agent -> there.put(agent.getAgentId(), agent));
      while (!seen.equals(there)) {
        follow(watcher, seen);
      }
    } finally {
      enough.set(true);
      changing.join();
    }
  }

  /** Takes a change in: it follows what was seen of the agent, or was seen. */
  private static void follow(AgentWatcher watcher, Map<String, Agent> seen)
      throws InterruptedException {
    Agent agent = watcher.change().getAgent();
    Agent known = seen.get(agent.getAgentId());
    long version = known == null ? 0 : known.getVersion();
    assertThat(agent.getVersion()).isBetween(1L, version + 1);
    if (agent.getVersion() > version) {
      seen.put(agent.getAgentId(), agent);
    }
  }

  @Test
  default void aSnapshotHasWhatTheWatchIsOfAndResumesWithoutAnother() throws Exception {
    AgentMetrics metrics = AgentMetrics.newBuilder().setMemoryBytes(1).build();
    registerMembers(90);
    Agent loaded = agents().register(agents().agent("agent-1").setMetrics(metrics));
    WatchAgentsRequest.Builder request = agents().watch().setSnapshot(true);
    List<WatchAgentsRequest> some =
        List.of(
            request.clone().addTypes("type-1").build(),
            request.clone().addTypes("type-1").addTypes("type-2").build(),
            request.clone().addAgentIds("agent-1").addAgentIds("agent-2").build(),
            request.clone().addTypes("type-2").addAgentIds("agent-2").addAgentIds("x").build(),
            request.clone().addTypes("none").build());
    List<Integer> sizes = new ArrayList<>();
    for (WatchAgentsRequest each : some) {
      try (AgentWatcher watcher = new AgentWatcher(agents().channelA(), each)) {
        sizes.add(snapshot(watcher).size());
      }
    }
    // The first of type-1 is a coder now.
    assertThat(sizes).containsExactly(29, 59, 2, 1, 0);

    WatchAgentsRequest coders = request.clone().addTypes("coder").build();
    String token;
    try (AgentWatcher watcher = new AgentWatcher(agents().channelA(), coders)) {
      assertThat(snapshot(watcher)).containsExactly(Map.entry("agent-1", loaded));
      token = watcher.token();
    }
    move("agent-1", "there");
    try (AgentWatcher watcher =
        new AgentWatcher(agents().channelB(), coders.toBuilder().setResumeToken(token).build())) {
      AgentChange change = watcher.change();
      assertThat(change.getKind()).isEqualTo(AgentChangeKind.AGENT_CHANGE_KIND_UPDATED);
      assertThat(change.getAgent().getHost()).isEqualTo("there");
    }
  }

  @Test
  default void aSnapshotOfNobodyIsCompleteAtOnce() throws Exception {
    try (AgentWatcher watcher =
        new AgentWatcher(agents().channelA(), agents().watch().setSnapshot(true).build())) {
      assertThat(snapshot(watcher)).isEmpty();
      agents().register(agents().agent("a"));
      assertThat(watcher.change().getKind())
          .isEqualTo(AgentChangeKind.AGENT_CHANGE_KIND_REGISTERED);
    }
  }
}
