package dev.troupe.server.agent;

import dev.troupe.server.grpc.Checks;
import dev.troupe.v1.Agent;
import dev.troupe.v1.AgentStatus;
import dev.troupe.v1.RegisterAgentRequest;
import dev.troupe.v1.UpdateAgentRequest;
import java.time.Duration;
import java.util.Set;

/** The limits of the agent contract, checked at the door. */
final class AgentChecks {

  static final Set<String> MASK =
      Set.of(
          "type",
          "status",
          "capabilities",
          "labels",
          "configuration",
          "host",
          "process_id",
          "current_task");
  private static final int CONFIGURATION_BYTES = 64 << 10;

  private AgentChecks() {}

  static void register(RegisterAgentRequest request) {
    Checks checks =
        new Checks()
            .namespace(request.getNamespace())
            .optionalName("agent_id", request.getAgentId())
            .duration(
                "lease_duration",
                request.hasLeaseDuration(),
                request.getLeaseDuration(),
                Duration.ofSeconds(1),
                Duration.ofHours(1))
            .requestId(request.getRequestId())
            .fence(request.hasFence(), request.getFence());
    fields(checks, "", AgentStore.described(request));
    status(checks, "status", request.getStatus());
    checks.done();
  }

  static void update(UpdateAgentRequest request) {
    Checks checks =
        new Checks()
            .namespace(request.getNamespace())
            .name("agent.agent_id", request.getAgent().getAgentId())
            .that(request.getUpdateMask().getPathsCount() > 0, "update_mask", "required")
            .requestId(request.getRequestId())
            .fence(request.hasFence(), request.getFence());
    for (String path : request.getUpdateMask().getPathsList()) {
      checks.that(
          MASK.contains(path), "update_mask", path + " (expected some of " + sorted() + ")");
    }
    Agent agent = request.getAgent();
    boolean typeGiven = request.getUpdateMask().getPathsList().contains("type");
    // Only what the mask names is written, so a type that is not there is not missing.
    fields(checks, "agent.", typeGiven ? agent : agent.toBuilder().setType("unchanged").build());
    status(checks, "agent.status", agent.getStatus());
    checks.optionalName("agent.current_task", agent.getCurrentTask()).done();
  }

  private static String sorted() {
    return String.join(", ", new java.util.TreeSet<>(MASK));
  }

  private static void fields(Checks checks, String at, Agent agent) {
    checks
        .name(at + "type", agent.getType())
        .names(at + "capabilities", agent.getCapabilitiesList(), 64)
        .labels(at + "labels", agent.getLabelsMap(), 64)
        .bytes(
            at + "configuration", agent.getConfiguration().getSerializedSize(), CONFIGURATION_BYTES)
        .optionalName(at + "host", agent.getHost())
        .that(agent.getProcessId() >= 0, at + "process_id", "expected 0 or more");
  }

  /** What an agent may say of itself; how it ended is for the server to say. */
  static void status(Checks checks, String field, AgentStatus status) {
    checks.that(
        switch (status) {
          case AGENT_STATUS_LOST, AGENT_STATUS_TERMINATED, UNRECOGNIZED -> false;
          default -> true;
        },
        field,
        "expected PENDING, STARTING, RUNNING, IDLE, ERROR or DRAINING");
  }
}
