package dev.troupe.server.agent;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.FieldMask;
import com.google.protobuf.Struct;
import com.google.protobuf.Timestamp;
import com.google.protobuf.Value;
import com.google.protobuf.util.Timestamps;
import dev.troupe.server.grpc.Refusal;
import dev.troupe.v1.Agent;
import dev.troupe.v1.AgentStateServiceGrpc;
import dev.troupe.v1.AgentStatus;
import dev.troupe.v1.UpdateAgentRequest;
import dev.troupe.v1.UpdateAgentResponse;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Updates by mask and version. */
interface AgentUpdateContract extends AgentContract {

  @Test
  default void aProcessThatIsReplacedInPlaceTellsItsNewVersionAndStart() {
    Timestamp first = Timestamps.fromSeconds(1_700_000_000);
    Agent registered =
        agents().register(agents().agent("a").setSoftwareVersion("1").setProcessStartTime(first));
    assertThat(registered.getProcessStartTime()).isEqualTo(first);
    Agent wanted =
        Agent.newBuilder()
            .setAgentId("a")
            .setSoftwareVersion("2")
            .setProcessStartTime(Timestamps.fromSeconds(1_800_000_000))
            .build();
    agents().a().updateAgent(update(wanted, "software_version").build());
    Agent changed = agents().get("a");
    assertThat(changed.getSoftwareVersion()).isEqualTo("2");
    assertThat(changed.getProcessStartTime()).isEqualTo(first);
    agents().a().updateAgent(update(wanted, "process_start_time").build());
    assertThat(agents().get("a").getProcessStartTime()).isEqualTo(wanted.getProcessStartTime());
    Agent none = Agent.newBuilder().setAgentId("a").build();
    agents().a().updateAgent(update(none, "process_start_time", "software_version").build());
    Agent cleared = agents().get("a");
    assertThat(cleared.hasProcessStartTime()).isFalse();
    assertThat(cleared.getSoftwareVersion()).isEmpty();
  }

  @Test
  default void onlyWhatTheMaskNamesChangesAndWhatIsEmptyIsCleared() {
    Agent registered =
        agents()
            .register(
                agents()
                    .agent("a")
                    .addCapabilities("gpu")
                    .addCapabilities("go")
                    .putLabels("k", "v")
                    .putLabels("old", "1")
                    .setConfiguration(struct("x"))
                    .setHost("here")
                    .setProcessId(7));
    Agent wanted =
        Agent.newBuilder()
            .setAgentId("a")
            .setType("ignored")
            .addCapabilities("go")
            .addCapabilities("rust")
            .putLabels("k", "w")
            .setHost("ignored")
            .setCurrentTask("t1")
            .setStatus(AgentStatus.AGENT_STATUS_RUNNING)
            .build();
    Agent changed =
        agents()
            .a()
            .updateAgent(
                update(wanted, "capabilities", "labels", "current_task", "status", "status")
                    .build())
            .getAgent();
    assertThat(changed)
        .isEqualTo(
            registered.toBuilder()
                .clearCapabilities()
                .addAllCapabilities(wanted.getCapabilitiesList())
                .clearLabels()
                .putLabels("k", "w")
                .setCurrentTask("t1")
                .setStatus(AgentStatus.AGENT_STATUS_RUNNING)
                .setVersion(2)
                .setUpdateTime(changed.getUpdateTime())
                .build());
    assertThat(agents().get("a")).isEqualTo(changed);
    assertThat(agents().list(agents().listing().addCapabilities("gpu"))).isEmpty();
    assertThat(agents().list(agents().listing().putLabels("old", "1"))).isEmpty();
    assertThat(
            agents()
                .list(
                    agents()
                        .listing()
                        .addCapabilities("rust")
                        .putLabels("k", "w")
                        .setType("coder")))
        .containsExactly(changed);

    Agent cleared =
        agents()
            .a()
            .updateAgent(
                update(
                        Agent.newBuilder().setAgentId("a").build(),
                        "capabilities",
                        "labels",
                        "configuration",
                        "host",
                        "process_id",
                        "current_task",
                        "status")
                    .build())
            .getAgent();
    assertThat(cleared)
        .isEqualTo(
            changed.toBuilder()
                .clearCapabilities()
                .clearLabels()
                .clearConfiguration()
                .clearHost()
                .clearProcessId()
                .clearCurrentTask()
                .setVersion(3)
                .setUpdateTime(cleared.getUpdateTime())
                .build());
  }

  @Test
  default void anotherVersionThanExpectedIsToldAndChangesNothing() {
    agents().register(agents().agent("a"));
    Agent there = Agent.newBuilder().setAgentId("a").setHost("there").build();
    Agent current = agents().a().updateAgent(update(there, "host").build()).getAgent();
    for (long expected : List.of(1L, 3L)) {
      Refusal refusal =
          Refusal.of(
              () ->
                  agents()
                      .b()
                      .updateAgent(
                          update(there.toBuilder().setHost("x").build(), "host")
                              .setExpectedVersion(expected)
                              .build()));
      assertThat(refusal.what()).isEqualTo("ABORTED VERSION_MISMATCH");
      assertThat(refusal.metadata()).containsEntry("current_version", "2");
    }
    assertThat(agents().get("a")).isEqualTo(current);
    assertThat(
            agents()
                .b()
                .updateAgent(update(there, "host").setExpectedVersion(2).build())
                .getAgent()
                .getVersion())
        .isEqualTo(3);
  }

  @Test
  default void updatesThatExpectNoVersionAllHappenHoweverManyMeet() throws Exception {
    agents().register(agents().agent("a"));
    List<CompletableFuture<Agent>> answers = new ArrayList<>();
    for (int i = 0; i < 64; i++) {
      CompletableFuture<Agent> answer = new CompletableFuture<>();
      answers.add(answer);
      AgentStateServiceGrpc.newStub(i % 2 == 0 ? agents().channelA() : agents().channelB())
          .updateAgent(
              update(Agent.newBuilder().setAgentId("a").setProcessId(i).build(), "process_id")
                  .build(),
              new StreamObserver<>() {
                @Override
                public void onNext(UpdateAgentResponse response) {
                  answer.complete(response.getAgent());
                }

                @Override
                public void onError(Throwable failure) {
                  answer.completeExceptionally(failure);
                }

                @Override
                public void onCompleted() {}
              });
    }
    List<Long> versions = new ArrayList<>();
    for (int i = 0; i < answers.size(); i++) {
      Agent changed = answers.get(i).get(60, TimeUnit.SECONDS);
      assertThat(changed.getProcessId()).isEqualTo(i);
      versions.add(changed.getVersion());
    }
    assertThat(versions).doesNotHaveDuplicates().allMatch(version -> version <= 65);
    assertThat(agents().get("a").getVersion()).isEqualTo(65);
  }

  @Test
  default void fieldsThatAreNotThereOrNotTheCallersAreAllNamed() {
    Agent agent = agents().register(agents().agent("a"));
    Refusal refusal =
        Refusal.of(
            () ->
                agents()
                    .a()
                    .updateAgent(
                        update(
                                agent,
                                "host",
                                "agent_id",
                                "version",
                                "fencing_token",
                                "create_time",
                                "heartbeat_time",
                                "lease_duration",
                                "nonsense",
                                "labels.k",
                                "configuration.fields",
                                "processId",
                                "*",
                                "")
                            .build()));
    assertThat(refusal.what()).isEqualTo("INVALID_ARGUMENT INVALID_FIELD");
    assertThat(refusal.fields().keySet())
        .isEqualTo(
            new java.util.TreeSet<>(
                List.of(
                    "update_mask.paths[1]",
                    "update_mask.paths[2]",
                    "update_mask.paths[3]",
                    "update_mask.paths[4]",
                    "update_mask.paths[5]",
                    "update_mask.paths[6]",
                    "update_mask.paths[7]",
                    "update_mask.paths[8]",
                    "update_mask.paths[9]",
                    "update_mask.paths[10]",
                    "update_mask.paths[11]",
                    "update_mask.paths[12]")));
    assertThat(Refusal.of(() -> agents().a().updateAgent(update(agent).build())).fields())
        .containsOnlyKeys("update_mask");
    assertThat(
            Refusal.of(
                    () ->
                        agents()
                            .a()
                            .updateAgent(
                                update(Agent.newBuilder().setAgentId("a").build(), "type").build()))
                .fields())
        .containsOnlyKeys("agent.type");
    assertThat(agents().get("a")).isEqualTo(agent);
  }

  @Test
  default void howAnAgentEndedIsNotForItToSay() {
    Agent agent = agents().register(agents().agent("a"));
    for (AgentStatus status :
        List.of(AgentStatus.AGENT_STATUS_LOST, AgentStatus.AGENT_STATUS_TERMINATED)) {
      Agent wanted = agent.toBuilder().setStatus(status).build();
      assertThat(
              Refusal.of(() -> agents().a().updateAgent(update(wanted, "status").build())).fields())
          .containsOnlyKeys("agent.status");
    }
    Agent unknown = agent.toBuilder().setStatusValue(99).build();
    assertThat(
            Refusal.of(() -> agents().a().updateAgent(update(unknown, "status").build())).fields())
        .containsOnlyKeys("agent.status");
    assertThat(agents().get("a")).isEqualTo(agent);
  }

  @Test
  default void aRecordThatWasReadMayBeSentBackWithAMask() throws Exception {
    Agent agent = agents().register(agents().agent("a"));
    // Whatever stands beside the fields of the mask is not written, and not judged.
    Agent whole = agent.toBuilder().setType("").setProcessId(-1).setHost("there").build();
    assertThat(agents().a().updateAgent(update(whole, "host").build()).getAgent().getHost())
        .isEqualTo("there");
  }

  private UpdateAgentRequest.Builder update(Agent agent, String... mask) {
    return UpdateAgentRequest.newBuilder()
        .setNamespace(agents().namespace())
        .setAgent(agent)
        .setUpdateMask(FieldMask.newBuilder().addAllPaths(List.of(mask)));
  }

  private static Struct struct(String value) {
    return Struct.newBuilder()
        .putFields("key", Value.newBuilder().setStringValue(value).build())
        .build();
  }
}
