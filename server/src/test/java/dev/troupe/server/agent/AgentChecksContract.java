package dev.troupe.server.agent;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Duration;
import com.google.protobuf.FieldMask;
import com.google.protobuf.Struct;
import com.google.protobuf.Timestamp;
import com.google.protobuf.Value;
import com.google.protobuf.util.Durations;
import dev.troupe.server.grpc.Refusal;
import dev.troupe.v1.Agent;
import dev.troupe.v1.AgentStatus;
import dev.troupe.v1.DeregisterAgentRequest;
import dev.troupe.v1.Fence;
import dev.troupe.v1.GetAgentRequest;
import dev.troupe.v1.HeartbeatRequest;
import dev.troupe.v1.ListAgentsRequest;
import dev.troupe.v1.RegisterAgentRequest;
import dev.troupe.v1.UpdateAgentRequest;
import dev.troupe.v1.WatchAgentsRequest;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is refused at the door, by every call, and how precisely. */
interface AgentChecksContract extends AgentContract {

  String LONG = "x".repeat(257);

  @Test
  default void aRegistrationIsToldOfEverythingThatIsWrong() {
    Refusal refusal =
        Refusal.of(
            () ->
                agents()
                    .a()
                    .registerAgent(
                        RegisterAgentRequest.newBuilder()
                            .setNamespace("Not/a{namespace}")
                            .setAgentId("a\nb")
                            .setStatus(AgentStatus.AGENT_STATUS_DRAINING)
                            .addCapabilities("good")
                            .addCapabilities("")
                            .addCapabilities(LONG)
                            .putLabels("k\u0000", "")
                            .putLabels("v", LONG)
                            .setConfiguration(text(65_600))
                            .setHost("h\u007f")
                            .setProcessId(-1)
                            .setSoftwareVersion(LONG)
                            .setProcessStartTime(Timestamp.newBuilder().setNanos(-1))
                            .setLeaseDuration(Durations.fromSeconds(-5))
                            .setRequestId("r".repeat(129))
                            .setFence(Fence.newBuilder().setToken(-1))
                            .build()));
    assertThat(refusal.what()).isEqualTo("INVALID_ARGUMENT INVALID_FIELD");
    assertThat(refusal.fields())
        .containsOnlyKeys(
            "namespace",
            "agent_id",
            "type",
            "status",
            "capabilities[1]",
            "capabilities[2]",
            "labels key",
            "labels[v]",
            "configuration",
            "host",
            "process_id",
            "software_version",
            "process_start_time",
            "lease_duration",
            "request_id",
            "fence.name",
            "fence.token");
  }

  @Test
  default void durationsAndStatusesOutsideTheirBoundsAreRefused() {
    List<Duration> wrong =
        List.of(
            Duration.getDefaultInstance(),
            Durations.fromNanos(999_999_999),
            Durations.add(Durations.fromHours(1), Durations.fromNanos(1)),
            Durations.MAX_VALUE,
            Durations.MIN_VALUE,
            Duration.newBuilder().setSeconds(Long.MAX_VALUE).build(),
            Duration.newBuilder().setSeconds(5).setNanos(-1).build(),
            Duration.newBuilder().setSeconds(5).setNanos(Integer.MAX_VALUE).build());
    for (Duration lease : wrong) {
      assertThat(
              Refusal.of(
                      () ->
                          agents()
                              .a()
                              .registerAgent(agents().agent("a").setLeaseDuration(lease).build()))
                  .fields())
          .containsOnlyKeys("lease_duration");
    }
    for (int status : List.of(6, 7, 8, 9, -1, Integer.MAX_VALUE)) {
      assertThat(
              Refusal.of(
                      () ->
                          agents()
                              .a()
                              .registerAgent(agents().agent("a").setStatusValue(status).build()))
                  .fields())
          .containsOnlyKeys("status");
    }
    assertThat(agents().list(agents().listing())).isEmpty();
  }

  @Test
  default void manyViolationsStillArrive() {
    RegisterAgentRequest.Builder request = agents().agent("a");
    for (int i = 0; i < 64; i++) {
      request.addCapabilities("c\n").putLabels("k".repeat(200) + i, LONG);
    }
    Refusal refusal = Refusal.of(() -> agents().a().registerAgent(request.build()));
    assertThat(refusal.what()).isEqualTo("INVALID_ARGUMENT INVALID_FIELD");
    assertThat(refusal.fields()).hasSizeGreaterThan(20);
    Refusal long1 =
        Refusal.of(
            () ->
                agents()
                    .a()
                    .registerAgent(agents().agent("a").putLabels("k".repeat(100_000), "").build()));
    assertThat(long1.what()).isEqualTo("INVALID_ARGUMENT INVALID_FIELD");
    Refusal long2 =
        Refusal.of(
            () ->
                agents()
                    .a()
                    .registerAgent(
                        agents().agent("a").putLabels("k".repeat(100_000), LONG).build()));
    assertThat(long2.what()).isEqualTo("INVALID_ARGUMENT INVALID_FIELD");
    Refusal long3 =
        Refusal.of(
            () ->
                agents()
                    .a()
                    .updateAgent(
                        UpdateAgentRequest.newBuilder()
                            .setAgent(Agent.newBuilder().setAgentId("a"))
                            .setUpdateMask(FieldMask.newBuilder().addPaths("p".repeat(100_000)))
                            .build()));
    assertThat(long3.fields()).containsOnlyKeys("update_mask.paths[0]");
    RegisterAgentRequest.Builder crowded = agents().agent("a");
    for (int i = 0; i < 65; i++) {
      crowded.addCapabilities("c" + i).putLabels("k" + i, "");
    }
    assertThat(Refusal.of(() -> agents().a().registerAgent(crowded.build())).fields())
        .containsOnlyKeys("capabilities", "labels");
  }

  @Test
  default void anUpdateIsToldOfEverythingThatIsWrong() {
    Refusal refusal =
        Refusal.of(
            () ->
                agents()
                    .a()
                    .updateAgent(
                        UpdateAgentRequest.newBuilder()
                            .setNamespace("-")
                            .setAgent(
                                Agent.newBuilder()
                                    .setAgentId("")
                                    .setType("\t")
                                    .setStatusValue(8)
                                    .addCapabilities("")
                                    .putLabels("", "")
                                    .setConfiguration(text(65_600))
                                    .setHost(LONG)
                                    .setProcessId(Long.MIN_VALUE)
                                    .setCurrentTask(LONG))
                            .setUpdateMask(
                                FieldMask.newBuilder()
                                    .addPaths("type")
                                    .addPaths("status")
                                    .addPaths("capabilities")
                                    .addPaths("labels")
                                    .addPaths("configuration")
                                    .addPaths("host")
                                    .addPaths("process_id")
                                    .addPaths("current_task")
                                    .addPaths("version"))
                            .setExpectedVersion(-1)
                            .setFencingToken(-1)
                            .setRequestId("\r")
                            .setFence(
                                Fence.newBuilder().setName("locks/" + "x".repeat(540)).setToken(1))
                            .build()));
    assertThat(refusal.what()).isEqualTo("INVALID_ARGUMENT INVALID_FIELD");
    assertThat(refusal.fields())
        .containsOnlyKeys(
            "namespace",
            "agent.agent_id",
            "agent.type",
            "agent.status",
            "agent.capabilities[0]",
            "agent.labels key",
            "agent.configuration",
            "agent.host",
            "agent.process_id",
            "agent.current_task",
            "update_mask.paths[8]",
            "expected_version",
            "fencing_token",
            "request_id",
            "fence.name");
    assertThat(
            Refusal.of(() -> agents().a().updateAgent(UpdateAgentRequest.getDefaultInstance()))
                .fields())
        .containsOnlyKeys("agent.agent_id", "update_mask");
  }

  @Test
  default void aListingIsToldOfEverythingThatIsWrong() {
    ListAgentsRequest.Builder request =
        ListAgentsRequest.newBuilder()
            .setNamespace("a".repeat(64))
            .setType("\u2028")
            .setStatusValue(99)
            .addCapabilities("")
            .putLabels("k", "\u0007")
            .setPageSize(-1);
    assertThat(Refusal.of(() -> agents().a().listAgents(request.build())).fields())
        .containsOnlyKeys(
            "namespace", "type", "status", "capabilities[0]", "labels[k]", "page_size");
    ListAgentsRequest.Builder crowded = agents().listing().setPageSize(1001);
    for (int i = 0; i < 9; i++) {
      crowded.addCapabilities("c" + i).putLabels("k" + i, "");
    }
    assertThat(Refusal.of(() -> agents().a().listAgents(crowded.build())).fields())
        .containsOnlyKeys("capabilities", "labels", "page_size");
  }

  @Test
  default void aDeregistrationIsToldOfEverythingThatIsWrong() {
    assertThat(
            Refusal.of(
                    () ->
                        agents()
                            .a()
                            .deregisterAgent(
                                DeregisterAgentRequest.newBuilder()
                                    .setNamespace("{}")
                                    .setFencingToken(-1)
                                    .setReason(LONG)
                                    .setRequestId("r\n")
                                    .setFence(Fence.newBuilder().setName("f\0"))
                                    .build()))
                .fields())
        .containsOnlyKeys(
            "namespace",
            "agent_id",
            "fencing_token",
            "reason",
            "request_id",
            "fence.name",
            "fence.token");
  }

  @Test
  default void readsAndWatchesAreToldOfEverythingThatIsWrong() throws Exception {
    assertThat(
            Refusal.of(
                    () ->
                        agents()
                            .a()
                            .getAgent(
                                GetAgentRequest.newBuilder()
                                    .setNamespace("ä")
                                    .setAgentId(LONG)
                                    .build()))
                .fields())
        .containsOnlyKeys("namespace", "agent_id");
    WatchAgentsRequest.Builder watch =
        WatchAgentsRequest.newBuilder()
            .setNamespace(":")
            .addTypes("")
            .addAgentIds("good")
            .addAgentIds("\u009f");
    try (AgentWatcher refused = new AgentWatcher(agents().channelA(), watch.build())) {
      assertThat(Refusal.of(refused.failure()).fields())
          .containsOnlyKeys("namespace", "types[0]", "agent_ids[1]");
    }
    WatchAgentsRequest.Builder crowded = agents().watch();
    for (int i = 0; i < 257; i++) {
      crowded.addTypes("t" + i).addAgentIds("a" + i);
    }
    try (AgentWatcher refused = new AgentWatcher(agents().channelA(), crowded.build())) {
      assertThat(Refusal.of(refused.failure()).fields()).containsOnlyKeys("types", "agent_ids");
    }
  }

  @Test
  default void aHeartbeatIsToldOfEverythingThatIsWrongAndEndsItsStream() throws Exception {
    try (HeartbeatCaller stream = new HeartbeatCaller(agents().channelA(), "{}")) {
      stream.send(
          HeartbeatRequest.newBuilder()
              .setFencingToken(-1)
              .setStatus(AgentStatus.AGENT_STATUS_TERMINATED)
              .setCurrentTask("\u0085"));
      Refusal refusal = Refusal.of(stream.failure());
      assertThat(refusal.what()).isEqualTo("INVALID_ARGUMENT INVALID_FIELD");
      assertThat(refusal.fields())
          .containsOnlyKeys("namespace", "agent_id", "fencing_token", "status", "current_task");
    }
  }

  @Test
  default void agentsThatAreNotThereAreNotFound() {
    String namespace = agents().namespace();
    assertThat(
            List.of(
                Refusal.of(() -> agents().get("nobody")).what(),
                Refusal.of(
                        () ->
                            agents()
                                .a()
                                .updateAgent(
                                    UpdateAgentRequest.newBuilder()
                                        .setNamespace(namespace)
                                        .setAgent(Agent.newBuilder().setAgentId("nobody"))
                                        .setUpdateMask(FieldMask.newBuilder().addPaths("host"))
                                        .build()))
                    .what(),
                Refusal.of(
                        () ->
                            agents()
                                .a()
                                .deregisterAgent(
                                    DeregisterAgentRequest.newBuilder()
                                        .setNamespace(namespace)
                                        .setAgentId("nobody")
                                        .build()))
                    .what()))
        .allMatch("NOT_FOUND AGENT_NOT_FOUND"::equals);
  }

  private static Struct text(int length) {
    return Struct.newBuilder()
        .putFields("k", Value.newBuilder().setStringValue("x".repeat(length)).build())
        .build();
  }
}
