package dev.troupe.server.agent;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.FieldMask;
import dev.troupe.server.grpc.Refusal;
import dev.troupe.v1.Agent;
import dev.troupe.v1.AgentChange;
import dev.troupe.v1.AgentMetrics;
import dev.troupe.v1.AgentStatus;
import dev.troupe.v1.HeartbeatOutcome;
import dev.troupe.v1.UpdateAgentRequest;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What agents say of their load, beside their record. */
interface AgentMetricsContract extends AgentContract {

  AgentMetrics LIGHT =
      AgentMetrics.newBuilder()
          .setMemoryBytes(1L << 40)
          .setCpuCores(0.25)
          .putGauges("queue", 3)
          .putGauges("temperature °C", 41.5)
          .build();
  AgentMetrics HEAVY = AgentMetrics.newBuilder().setMemoryBytes(7).setCpuCores(12).build();

  @Test
  default void metricsComeWithRegistrationHeartbeatAndUpdateAndChangeNothingElse()
      throws Exception {
    try (AgentWatcher watcher = agents().watchAll(agents().channelB());
        HeartbeatCaller stream = agents().heartbeats(agents().channelA())) {
      Agent session = agents().register(agents().agent("a").setMetrics(LIGHT));
      assertThat(session.getMetrics()).isEqualTo(LIGHT);
      assertThat(agents().get("a")).isEqualTo(session);

      stream.send(HeartbeatCaller.of(session).setMetrics(HEAVY));
      assertThat(stream.next().getOutcome()).isEqualTo(HeartbeatOutcome.HEARTBEAT_OUTCOME_EXTENDED);
      Agent heavy = agents().get("a");
      assertThat(heavy)
          .isEqualTo(
              session.toBuilder()
                  .setMetrics(HEAVY)
                  .setHeartbeatTime(heavy.getHeartbeatTime())
                  .build());
      assertThat(stream.beat(session)).isEqualTo(HeartbeatOutcome.HEARTBEAT_OUTCOME_EXTENDED);
      assertThat(agents().get("a").getMetrics()).isEqualTo(HEAVY);

      Agent light = agents().a().updateAgent(update(session, LIGHT, "metrics")).getAgent();
      assertThat(light.getMetrics()).isEqualTo(LIGHT);
      assertThat(light.getVersion()).isEqualTo(1);
      assertThat(light.getUpdateTime()).isEqualTo(session.getUpdateTime());
      assertThat(agents().list(agents().listing()))
          .singleElement()
          .extracting(Agent::getMetrics)
          .isEqualTo(LIGHT);

      Agent both =
          agents().a().updateAgent(update(session, HEAVY, "metrics", "current_task")).getAgent();
      assertThat(both.getMetrics()).isEqualTo(HEAVY);
      assertThat(both.getVersion()).isEqualTo(2);
      Agent none =
          agents()
              .a()
              .updateAgent(update(session, AgentMetrics.getDefaultInstance(), "metrics"))
              .getAgent();
      assertThat(none.hasMetrics()).isFalse();
      Agent kept = agents().a().updateAgent(update(session, LIGHT, "host")).getAgent();
      assertThat(kept.hasMetrics()).isFalse();

      // Of all that watchers hear of what is a change, and not of the load.
      for (long version = 1; version <= 3; version++) {
        AgentChange change = watcher.change();
        assertThat(change.getAgent().getVersion()).isEqualTo(version);
        assertThat(change.getAgent().hasMetrics()).isFalse();
      }
      assertThat(watcher.isQuiet()).isTrue();
    }
  }

  @Test
  default void aNewSessionBeginsWithoutTheMetricsOfTheLastOne() {
    agents().register(agents().agent("a").setMetrics(LIGHT));
    assertThat(agents().register(agents().agent("a")).hasMetrics()).isFalse();
    assertThat(agents().get("a").hasMetrics()).isFalse();
  }

  @Test
  default void metricsOfASessionThatIsOverAreRefused() throws Exception {
    Agent first = agents().register(agents().agent("a"));
    Agent second = agents().register(agents().agent("a").setMetrics(LIGHT));
    assertThat(
            Refusal.of(
                    () ->
                        agents()
                            .a()
                            .updateAgent(
                                update(first, HEAVY, "metrics").toBuilder()
                                    .setFencingToken(first.getFencingToken())
                                    .build()))
                .what())
        .isEqualTo("FAILED_PRECONDITION STALE_SESSION");
    assertThat(
            Refusal.of(
                    () ->
                        agents()
                            .a()
                            .updateAgent(
                                update(first, HEAVY, "metrics").toBuilder()
                                    .setExpectedVersion(1)
                                    .build()))
                .what())
        .isEqualTo("ABORTED VERSION_MISMATCH");
    try (HeartbeatCaller stream = agents().heartbeats(agents().channelA())) {
      stream.send(HeartbeatCaller.of(first).setMetrics(HEAVY));
      assertThat(stream.next().getOutcome()).isEqualTo(HeartbeatOutcome.HEARTBEAT_OUTCOME_REPLACED);
    }
    assertThat(agents().get("a")).isEqualTo(second);
  }

  @Test
  default void metricsThatAreNoMeasureAreRefusedEverywhere() throws Exception {
    AgentMetrics.Builder wrong =
        AgentMetrics.newBuilder()
            .setMemoryBytes(-1)
            .setCpuCores(Double.NaN)
            .putGauges("low", -0.5)
            .putGauges("high", Double.POSITIVE_INFINITY)
            .putGauges("fine", Double.MAX_VALUE);
    Agent session = agents().register(agents().agent("a"));
    Set<String> fields =
        Set.of(
            "metrics.memory_bytes",
            "metrics.cpu_cores",
            "metrics.gauges[low]",
            "metrics.gauges[high]");
    assertThat(
            Refusal.of(
                    () -> agents().a().registerAgent(agents().agent("b").setMetrics(wrong).build()))
                .fields())
        .containsOnlyKeys(fields);
    Set<String> ofAgent = new HashSet<>();
    fields.forEach(field -> ofAgent.add("agent." + field));
    assertThat(
            Refusal.of(() -> agents().a().updateAgent(update(session, wrong.build(), "metrics")))
                .fields())
        .containsOnlyKeys(ofAgent);
    try (HeartbeatCaller stream = agents().heartbeats(agents().channelA())) {
      stream.send(HeartbeatCaller.of(session).setMetrics(wrong));
      assertThat(Refusal.of(stream.failure()).fields()).containsOnlyKeys(fields);
    }
    AgentMetrics.Builder many = AgentMetrics.newBuilder();
    for (int i = 0; i < 33; i++) {
      many.putGauges("g" + i, i);
    }
    assertThat(
            Refusal.of(
                    () -> agents().a().registerAgent(agents().agent("b").setMetrics(many).build()))
                .fields())
        .containsOnlyKeys("metrics.gauges");
    assertThat(
            agents()
                .register(agents().agent("b").setMetrics(many.removeGauges("g0")))
                .getMetrics()
                .getGaugesCount())
        .isEqualTo(32);
    assertThat(agents().get("a").hasMetrics()).isFalse();
  }

  private UpdateAgentRequest update(Agent session, AgentMetrics metrics, String... fields) {
    return UpdateAgentRequest.newBuilder()
        .setNamespace(agents().namespace())
        .setAgent(
            session.toBuilder()
                .setMetrics(metrics)
                .setStatus(AgentStatus.AGENT_STATUS_UNSPECIFIED)
                .setCurrentTask("t")
                .setHost("there"))
        .setUpdateMask(FieldMask.newBuilder().addAllPaths(List.of(fields)))
        .build();
  }
}
