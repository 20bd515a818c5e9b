package dev.troupe.server.agent;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.FieldMask;
import com.google.protobuf.ListValue;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import dev.troupe.server.grpc.Refusal;
import dev.troupe.v1.Agent;
import dev.troupe.v1.AgentChange;
import dev.troupe.v1.AgentChangeKind;
import dev.troupe.v1.DeregisterAgentRequest;
import dev.troupe.v1.RegisterAgentRequest;
import dev.troupe.v1.UpdateAgentRequest;
import dev.troupe.v1.WatchAgentsRequest;
import io.grpc.ManagedChannel;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Watching, and going on after a break. */
interface AgentWatchContract extends AgentContract {

  @Test
  default void aWatchThatBreaksAgainAndAgainMissesNothingAndRepeatsNothing() throws Exception {
    int many = 8;
    int updates = 40;
    AgentWatcher watcher = agents().watchAll(agents().channelA());
    CompletableFuture<Void> changing =
        CompletableFuture.runAsync(
            () -> {
              for (int i = 0; i < many; i++) {
                agents().register(agents().agent("agent-" + i));
              }
              for (int u = 0; u < updates; u++) {
                for (int i = 0; i < many; i++) {
                  move("agent-" + i, "host-" + u);
                }
              }
            });
    Map<String, Long> versions = new HashMap<>();
    try {
      for (int taken = 0; taken < many * (updates + 1); taken++) {
        assertThat(changing).isNotCompletedExceptionally();
        if (taken % 37 == 36) {
          watcher.close();
          ManagedChannel server = taken % 2 == 0 ? agents().channelA() : agents().channelB();
          watcher =
              new AgentWatcher(server, agents().watch().setResumeToken(watcher.token()).build());
        }
        Agent agent = watcher.change().getAgent();
        assertThat(agent.getVersion()).isEqualTo(versions.getOrDefault(agent.getAgentId(), 0L) + 1);
        versions.put(agent.getAgentId(), agent.getVersion());
      }
      changing.join();
      assertThat(versions.values()).hasSize(many).allMatch(version -> version == updates + 1);
      assertThat(watcher.isQuiet()).isTrue();
    } finally {
      watcher.close();
    }
  }

  private Agent move(String id, String host) {
    return agents()
        .a()
        .updateAgent(
            UpdateAgentRequest.newBuilder()
                .setNamespace(agents().namespace())
                .setAgent(Agent.newBuilder().setAgentId(id).setHost(host))
                .setUpdateMask(FieldMask.newBuilder().addPaths("host"))
                .build())
        .getAgent();
  }

  @Test
  default void aTokenThatIsTooOldIsOutOfRange() throws Exception {
    AgentWatcher watcher = agents().watchAll(agents().channelA());
    agents().register(agents().agent("a"));
    watcher.change();
    watcher.close();
    String old = watcher.token();
    agents().register(agents().agent("a"));
    Agent last = move("a", "there");
    forAllLogs("XTRIM", "MAXLEN", "1");
    assertOutOfRange(old);
    // The entry before the oldest kept one is no gap.
    try (AgentWatcher all = agents().watchAll(agents().channelB())) {
      String token = all.token();
      last = move("a", "elsewhere");
      assertThat(all.change().getAgent()).isEqualTo(last);
      forAllLogs("XTRIM", "MAXLEN", "1");
      try (AgentWatcher again =
          new AgentWatcher(agents().channelA(), agents().watch().setResumeToken(token).build())) {
        assertThat(again.change().getAgent()).isEqualTo(last);
      }
      // Nothing is left, and something is missing.
      last = move("a", "nowhere");
      forAllLogs("XTRIM", "MAXLEN", "0");
      assertOutOfRange(token);
    }
  }

  @Test
  default void aTokenOfALogThatWasLostIsOutOfRange() throws Exception {
    AgentWatcher watcher = agents().watchAll(agents().channelA());
    agents().register(agents().agent("a"));
    watcher.change();
    watcher.close();
    for (RedisWire redis : agents().masters) {
      for (String key : redis.texts("KEYS", "troupe:{" + agents().namespace() + "/*")) {
        redis.command("DEL", key);
      }
    }
    agents().register(agents().agent("a"));
    assertOutOfRange(watcher.token());
  }

  private void assertOutOfRange(String token) throws InterruptedException {
    for (ManagedChannel server : List.of(agents().channelA(), agents().channelB())) {
      try (AgentWatcher late =
          new AgentWatcher(server, agents().watch().setResumeToken(token).build())) {
        assertThat(Refusal.of(late.failure()).what()).isEqualTo("OUT_OF_RANGE POSITION_TRIMMED");
      }
    }
  }

  private void forAllLogs(String command, String... arguments) throws IOException {
    for (RedisWire redis : agents().masters) {
      for (String key : redis.texts("KEYS", "troupe:{" + agents().namespace() + "/*}:log")) {
        List<String> words = new ArrayList<>(List.of(command, key));
        words.addAll(List.of(arguments));
        redis.command(words.toArray(String[]::new));
      }
    }
  }

  @Test
  default void aTokenIsGoodForItsWatchOnly() throws Exception {
    AgentWatcher watcher =
        AgentWatcher.begun(
            agents().channelA(), agents().watch().addTypes("coder").addTypes("tester").build());
    watcher.close();
    WatchAgentsRequest.Builder same =
        agents().watch().addTypes("tester").addTypes("coder").setResumeToken(watcher.token());
    AgentWatcher.begun(agents().channelB(), same.build()).close();
    List<WatchAgentsRequest> wrong =
        List.of(
            agents().watch().setResumeToken(watcher.token()).build(),
            same.clone().addAgentIds("a").build(),
            same.clone().setNamespace(agents().namespace() + "x").build(),
            same.clone().setResumeToken("x" + watcher.token().substring(1)).build(),
            same.clone().setResumeToken(watcher.token() + "AAAA").build(),
            same.clone().setResumeToken("not a token").build());
    for (WatchAgentsRequest each : wrong) {
      try (AgentWatcher refused = new AgentWatcher(agents().channelA(), each)) {
        assertThat(Refusal.of(refused.failure()).what())
            .isEqualTo("INVALID_ARGUMENT INVALID_RESUME_TOKEN");
      }
    }
  }

  @Test
  default void onlyWhatIsAskedForIsHeardWithWhatHappenedToIt() throws Exception {
    try (AgentWatcher coders =
            AgentWatcher.begun(agents().channelA(), agents().watch().addTypes("coder").build());
        AgentWatcher one =
            AgentWatcher.begun(agents().channelB(), agents().watch().addAgentIds("b").build())) {
      Agent a = agents().register(agents().agent("a"));
      Agent b = agents().register(agents().agent("b").setType("tester"));
      Agent moved = move("b", "there");
      Agent ended =
          agents()
              .a()
              .deregisterAgent(
                  DeregisterAgentRequest.newBuilder()
                      .setNamespace(agents().namespace())
                      .setAgentId("a")
                      .setReason("done")
                      .build())
              .getAgent();
      assertThat(coders.change().getAgent()).isEqualTo(a);
      AgentChange goodbye = coders.change();
      assertThat(goodbye.getKind()).isEqualTo(AgentChangeKind.AGENT_CHANGE_KIND_DEREGISTERED);
      assertThat(goodbye.getReason()).isEqualTo("done");
      assertThat(goodbye.getAgent()).isEqualTo(ended);
      assertThat(goodbye.getTime()).isEqualTo(ended.getUpdateTime());
      assertThat(one.change().getAgent()).isEqualTo(b);
      AgentChange change = one.change();
      assertThat(change.getKind()).isEqualTo(AgentChangeKind.AGENT_CHANGE_KIND_UPDATED);
      assertThat(change.getAgent()).isEqualTo(moved);
      assertThat(coders.isQuiet()).isTrue();
      assertThat(one.isQuiet()).isTrue();
    }
  }

  @Test
  default void anAgentThatChangesItsTypeIsHeardOfUnderBoth() throws Exception {
    agents().register(agents().agent("a"));
    try (AgentWatcher coders =
            AgentWatcher.begun(agents().channelA(), agents().watch().addTypes("coder").build());
        AgentWatcher testers =
            AgentWatcher.begun(agents().channelB(), agents().watch().addTypes("tester").build())) {
      agents()
          .a()
          .updateAgent(
              UpdateAgentRequest.newBuilder()
                  .setNamespace(agents().namespace())
                  .setAgent(Agent.newBuilder().setAgentId("a").setType("tester"))
                  .setUpdateMask(FieldMask.newBuilder().addPaths("type"))
                  .build());
      for (AgentWatcher watcher : List.of(coders, testers)) {
        AgentChange change = watcher.change();
        assertThat(change.getAgent().getType()).isEqualTo("tester");
        assertThat(change.getFormerType()).isEqualTo("coder");
      }
      move("a", "there");
      assertThat(testers.change().getFormerType()).isEmpty();
      agents().register(agents().agent("a"));
      assertThat(testers.change().getFormerType()).isEqualTo("tester");
      // The coders did not hear of the move.
      assertThat(coders.change().getKind()).isEqualTo(AgentChangeKind.AGENT_CHANGE_KIND_REGISTERED);
    }
  }

  @Test
  default void aConfigurationTooDeepToBeReadBackIsRefusedAndTheDeepestOneIsWatchable()
      throws Exception {
    try (AgentWatcher watcher = agents().watchAll(agents().channelA())) {
      RegisterAgentRequest.Builder request = agents().agent("a");
      for (int levels : List.of(25, 31)) {
        assertThat(
                Refusal.of(
                        () ->
                            agents()
                                .a()
                                .registerAgent(request.setConfiguration(nested(levels)).build()))
                    .fields())
            .containsOnlyKeys("configuration");
      }
      Agent agent = agents().register(request.setConfiguration(nested(24)));
      assertThat(agents().list(agents().listing())).containsExactly(agent);
      assertThat(watcher.change().getAgent()).isEqualTo(agent);
    }
  }

  /** An object in an object in … */
  private static Struct nested(int levels) {
    Struct struct = Struct.getDefaultInstance();
    for (int i = 1; i < levels; i++) {
      Value inner =
          i % 8 == 6
              ? Value.newBuilder()
                  .setListValue(
                      ListValue.newBuilder().addValues(Value.newBuilder().setStructValue(struct)))
                  .build()
              : Value.newBuilder().setStructValue(struct).build();
      i += i % 8 == 6 ? 1 : 0;
      struct = Struct.newBuilder().putFields("k", inner).build();
    }
    return struct;
  }
}
