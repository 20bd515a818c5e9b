package dev.troupe.server.agent;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import com.google.protobuf.FieldMask;
import com.google.protobuf.util.FieldMaskUtil;
import com.google.protobuf.util.Timestamps;
import dev.troupe.server.grpc.Checks;
import dev.troupe.v1.Agent;
import dev.troupe.v1.AgentCommand;
import dev.troupe.v1.AgentMetrics;
import dev.troupe.v1.AgentStatus;
import dev.troupe.v1.CommandAgentRequest;
import dev.troupe.v1.HeartbeatRequest;
import dev.troupe.v1.LeasePortsRequest;
import dev.troupe.v1.ListAgentsRequest;
import dev.troupe.v1.RegisterAgentRequest;
import dev.troupe.v1.ReleasePortsRequest;
import dev.troupe.v1.UpdateAgentRequest;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
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
          "current_task",
          "metrics",
          "software_version",
          "process_start_time");
  private static final Set<String> ORDERS =
      Set.of("", "agent_id", "agent_id desc", "create_time", "create_time desc");
  private static final int MOST_PORTS_AT_ONCE = 16;
  private static final int DATA_BYTES = 16 << 10;
  private static final int MOST_GAUGES = 32;
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
    metrics(checks, "metrics", request.getMetrics());
    checks
        .range("ports", request.getPorts(), 0, MOST_PORTS_AT_ONCE)
        .that(
            request.getPorts() <= 0 || !request.getHost().isEmpty(), "host", "required with ports");
    status(checks, "status", request.getStatus())
        .that(
            request.getStatus() != AgentStatus.AGENT_STATUS_DRAINING,
            "status",
            "expected another one of an agent that begins")
        .done();
  }

  static void heartbeat(HeartbeatRequest request) {
    Checks checks =
        new Checks()
            .namespace(request.getNamespace())
            .name("agent_id", request.getAgentId())
            .that(request.getFencingToken() > 0, "fencing_token", "expected a number above 0")
            .optionalName("current_task", request.getCurrentTask())
            .that(
                request.getAcknowledgedCommand() >= 0,
                "acknowledged_command",
                "expected 0 or more");
    metrics(checks, "metrics", request.getMetrics());
    status(checks, "status", request.getStatus()).done();
  }

  static void command(CommandAgentRequest request) {
    Checks checks =
        new Checks()
            .namespace(request.getNamespace())
            .name("agent_id", request.getAgentId())
            .that(request.getFencingToken() >= 0, "fencing_token", "expected 0 or more")
            .duration(
                "lifetime",
                request.hasLifetime(),
                request.getLifetime(),
                Duration.ofSeconds(1),
                Duration.ofHours(24))
            .requestId(request.getRequestId())
            .fence(request.hasFence(), request.getFence());
    AgentCommand command = request.getCommand();
    switch (command.getCommandCase()) {
      case DRAIN -> checks.optionalName("command.drain.reason", command.getDrain().getReason());
      case QUIET -> checks.optionalName("command.quiet.reason", command.getQuiet().getReason());
      case TERMINATE ->
          checks.optionalName("command.terminate.reason", command.getTerminate().getReason());
      case CANCEL_TASK ->
          checks
              .name("command.cancel_task.queue", command.getCancelTask().getQueue())
              .name("command.cancel_task.task_id", command.getCancelTask().getTaskId())
              .optionalName("command.cancel_task.reason", command.getCancelTask().getReason());
      case MESSAGE ->
          checks
              .name("command.message.type", command.getMessage().getType())
              .bytes("command.message.data", command.getMessage().getData().size(), DATA_BYTES);
      case COMMAND_NOT_SET -> checks.violation("command", "required");
    }
    checks.done();
  }

  static void update(UpdateAgentRequest request) {
    Checks checks =
        new Checks()
            .namespace(request.getNamespace())
            .name("agent.agent_id", request.getAgent().getAgentId())
            .that(request.getUpdateMask().getPathsCount() > 0, "update_mask", "required")
            .that(request.getExpectedVersion() >= 0, "expected_version", "expected 0 or more")
            .that(request.getFencingToken() >= 0, "fencing_token", "expected 0 or more")
            .requestId(request.getRequestId())
            .fence(request.hasFence(), request.getFence());
    List<String> paths = request.getUpdateMask().getPathsList();
    for (int i = 0; i < paths.size(); i++) {
      String path = paths.get(i);
      checks.that(
          MASK.contains(path),
          "update_mask.paths[" + i + "]",
          "not a field that can be changed: " + Checks.quoted(path));
    }
    // Only what the mask names is written, so what stands beside it is not judged.
    Agent.Builder named = Agent.newBuilder().setType("unchanged");
    Set<String> known = new HashSet<>(paths);
    known.retainAll(MASK);
    FieldMaskUtil.merge(
        FieldMask.newBuilder().addAllPaths(known).build(),
        request.getAgent(),
        named,
        new FieldMaskUtil.MergeOptions().setReplacePrimitiveFields(true));
    fields(checks, "agent.", named.build());
    metrics(checks, "agent.metrics", named.getMetrics());
    status(checks, "agent.status", named.getStatus())
        .optionalName("agent.current_task", named.getCurrentTask())
        .done();
  }

  static void lease(LeasePortsRequest request) {
    new Checks()
        .namespace(request.getNamespace())
        .name("agent_id", request.getAgentId())
        .that(request.getFencingToken() >= 0, "fencing_token", "expected 0 or more")
        .range("count", request.getCount(), 0, MOST_PORTS_AT_ONCE)
        .requestId(request.getRequestId())
        .fence(request.hasFence(), request.getFence())
        .done();
  }

  static void release(ReleasePortsRequest request) {
    Checks checks =
        new Checks()
            .namespace(request.getNamespace())
            .name("agent_id", request.getAgentId())
            .that(request.getFencingToken() >= 0, "fencing_token", "expected 0 or more")
            .that(request.getPortsCount() > 0, "ports", "required")
            .atMost("ports", request.getPortsCount(), PortStore.MOST)
            .requestId(request.getRequestId())
            .fence(request.hasFence(), request.getFence());
    for (int i = 0; i < Math.min(request.getPortsCount(), PortStore.MOST); i++) {
      checks.range("ports[" + i + "]", request.getPorts(i), 1, 65_535);
    }
    checks.done();
  }

  static void list(ListAgentsRequest request) {
    Checks checks =
        new Checks()
            .namespace(request.getNamespace())
            .optionalName("type", request.getType())
            .that(
                request.getStatus() != AgentStatus.UNRECOGNIZED,
                "status",
                "unknown: " + request.getStatusValue())
            .names("capabilities", request.getCapabilitiesList(), 8)
            .labels("labels", request.getLabelsMap(), 8)
            .range("page_size", request.getPageSize(), 0, 1000)
            .atMost("statuses", request.getStatusesCount(), AgentStore.STATUSES)
            .that(
                ORDERS.contains(request.getOrderBy()),
                "order_by",
                "expected \"agent_id\" or \"create_time\", and \" desc\" behind it or nothing");
    for (int i = 0; i < Math.min(request.getStatusesCount(), AgentStore.STATUSES); i++) {
      int status = request.getStatusesValue(i);
      checks.range("statuses[" + i + "]", status, 1, AgentStore.STATUSES);
    }
    checks.done();
  }

  private static void fields(Checks checks, String at, Agent agent) {
    checks
        .name(at + "type", agent.getType())
        .names(at + "capabilities", agent.getCapabilitiesList(), 64)
        .labels(at + "labels", agent.getLabelsMap(), 64)
        .bytes(
            at + "configuration", agent.getConfiguration().getSerializedSize(), CONFIGURATION_BYTES)
        .depth(at + "configuration", agent.getConfiguration())
        .optionalName(at + "host", agent.getHost())
        .that(agent.getProcessId() >= 0, at + "process_id", "expected 0 or more")
        .optionalName(at + "software_version", agent.getSoftwareVersion())
        .that(
            Timestamps.isValid(agent.getProcessStartTime()),
            at + "process_start_time",
            "not a valid time");
  }

  private static void metrics(Checks checks, String at, AgentMetrics metrics) {
    checks.that(metrics.getMemoryBytes() >= 0, at + ".memory_bytes", "expected 0 or more bytes");
    measure(checks, at + ".cpu_cores", metrics.getCpuCores());
    checks.atMost(at + ".gauges", metrics.getGaugesCount(), MOST_GAUGES);
    if (metrics.getGaugesCount() <= MOST_GAUGES) {
      metrics
          .getGaugesMap()
          .forEach(
              (name, value) -> {
                checks.name(at + ".gauges key", name);
                measure(checks, at + ".gauges[" + Checks.quoted(name) + "]", value);
              });
    }
  }

  private static void measure(Checks checks, String field, double value) {
    checks.that(
        Double.isFinite(value) && value >= 0, field, "expected a finite number of 0 or more");
  }

  /** What an agent may say of itself; how it ended is for the server to say. */
  @CanIgnoreReturnValue
  static Checks status(Checks checks, String field, AgentStatus status) {
    return checks.that(
        switch (status) {
          case AGENT_STATUS_LOST, AGENT_STATUS_TERMINATED, UNRECOGNIZED -> false;
          default -> true;
        },
        field,
        "expected PENDING, STARTING, RUNNING, IDLE, ERROR or DRAINING");
  }
}
