package dev.troupe.server.cli;

import com.google.protobuf.util.Durations;
import dev.troupe.v1.Agent;
import dev.troupe.v1.AgentCommand;
import dev.troupe.v1.AgentFigures;
import dev.troupe.v1.AgentMetrics;
import dev.troupe.v1.AgentStateServiceGrpc;
import dev.troupe.v1.AgentStateServiceGrpc.AgentStateServiceBlockingStub;
import dev.troupe.v1.AgentStatus;
import dev.troupe.v1.CancelTaskCommand;
import dev.troupe.v1.CommandAgentRequest;
import dev.troupe.v1.DrainCommand;
import dev.troupe.v1.FleetStatsRequest;
import dev.troupe.v1.FleetStatsResponse;
import dev.troupe.v1.GetAgentRequest;
import dev.troupe.v1.LeasePortsRequest;
import dev.troupe.v1.LeasePortsResponse;
import dev.troupe.v1.ListAgentsRequest;
import dev.troupe.v1.ListAgentsResponse;
import dev.troupe.v1.MessageCommand;
import dev.troupe.v1.QuietCommand;
import dev.troupe.v1.ReleasePortsRequest;
import dev.troupe.v1.StatusCount;
import dev.troupe.v1.TerminateCommand;
import dev.troupe.v1.TypeCount;
import dev.troupe.v1.WatchAgentsRequest;
import dev.troupe.v1.WatchAgentsResponse;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code troupe agents}: who is there, what they do, and what they are told to do. */
@Command(
    name = "agents",
    mixinStandardHelpOptions = true,
    description = "Who is there and what they do.")
final class AgentsCommand {

  private static final int LARGEST_PAGE = 1000;

  private final Console console;

  AgentsCommand(Console console) {
    this.console = console;
  }

  @Command(
      name = "list",
      mixinStandardHelpOptions = true,
      description = "Lists the agents that match.")
  int list(
      @Mixin ServerOptions options,
      @Option(names = "--type", defaultValue = "", description = "Only of this type.") String type,
      @Option(
              names = "--status",
              description = "Only with this status, such as idle; repeatable: one of them.")
          @Nullable List<String> statuses,
      @Option(names = "--capability", description = "Only with this capability; repeatable.")
          @Nullable List<String> capabilities,
      @Option(names = "--label", description = "Only with this label, KEY=VALUE; repeatable.")
          @Nullable Map<String, String> labels,
      @Option(
              names = "--order-by",
              paramLabel = "ORDER",
              defaultValue = "",
              description = "agent_id or create_time, or one of them with ' desc' behind it.")
          String order,
      @Option(names = "--limit", defaultValue = "100", description = "How many; 0 means all.")
          int limit) {
    ListAgentsRequest.Builder request =
        ListAgentsRequest.newBuilder()
            .setNamespace(options.namespace)
            .setType(type)
            .addAllCapabilities(Given.list(capabilities))
            .putAllLabels(Given.map(labels))
            .setOrderBy(order);
    Given.list(statuses)
        .forEach(name -> request.addStatuses(Names.constant("--status", AgentStatus.class, name)));
    try (Connection connection = options.connect()) {
      List<Agent> agents =
          Pages.read(
              limit,
              LARGEST_PAGE,
              (size, token) ->
                  stub(connection, options)
                      .listAgents(request.setPageSize(size).setPageToken(token).build()),
              ListAgentsResponse::getAgentsList,
              ListAgentsResponse::getNextPageToken);
      new Printer(console.out(), options.output)
          .list(
              agents,
              List.of("AGENT", "TYPE", "STATUS", "TASK", "HOST", "CAPABILITIES", "HEARTBEAT"),
              agent ->
                  List.of(
                      agent.getAgentId(),
                      agent.getType(),
                      Text.of(agent.getStatus()),
                      agent.getCurrentTask(),
                      agent.getHost(),
                      String.join(",", agent.getCapabilitiesList()),
                      Text.of(agent.getHeartbeatTime())));
    }
    return ExitStatus.OK;
  }

  @Command(name = "get", mixinStandardHelpOptions = true, description = "Shows one agent.")
  int get(
      @Mixin ServerOptions options,
      @Parameters(paramLabel = "AGENT", description = "Its id.") String agentId) {
    try (Connection connection = options.connect()) {
      Agent agent =
          stub(connection, options)
              .getAgent(
                  GetAgentRequest.newBuilder()
                      .setNamespace(options.namespace)
                      .setAgentId(agentId)
                      .build())
              .getAgent();
      new Printer(console.out(), options.output)
          .one(
              agent,
              "agent",
              agent.getAgentId(),
              "type",
              agent.getType(),
              "status",
              Text.of(agent.getStatus()),
              "current task",
              agent.getCurrentTask(),
              "host",
              agent.getHost(),
              "ports",
              ports(agent.getPortsList()),
              "process",
              agent.getProcessId() == 0 ? "" : Long.toString(agent.getProcessId()),
              "process began",
              Text.of(agent.getProcessStartTime()),
              "software",
              agent.getSoftwareVersion(),
              "capabilities",
              String.join(", ", agent.getCapabilitiesList()),
              "labels",
              Text.of(agent.getLabelsMap()),
              "load",
              load(agent),
              "tasks",
              tasks(agent),
              "version",
              Long.toString(agent.getVersion()),
              "fencing token",
              Long.toString(agent.getFencingToken()),
              "lease",
              Text.setting(agent.getLeaseDuration()),
              "registered",
              Text.of(agent.getCreateTime()),
              "changed",
              Text.of(agent.getUpdateTime()),
              "heartbeat",
              Text.of(agent.getHeartbeatTime()));
    }
    return ExitStatus.OK;
  }

  private static String load(Agent agent) {
    AgentMetrics metrics = agent.getMetrics();
    if (!agent.hasMetrics()) {
      return "";
    }
    StringBuilder load = new StringBuilder();
    load.append(
        String.format(
            Locale.ROOT,
            "%.2f processors, %d bytes",
            metrics.getCpuCores(),
            metrics.getMemoryBytes()));
    new TreeMap<>(metrics.getGaugesMap())
        .forEach((name, value) -> load.append(", ").append(name).append('=').append(value));
    return load.toString();
  }

  private static String tasks(Agent agent) {
    AgentFigures figures = agent.getFigures();
    return agent.hasFigures()
        ? String.format(
            Locale.ROOT,
            "%d succeeded (%s on the average), %d failed, %d lost, %.1f %%",
            figures.getTasksSucceeded(),
            Text.of(figures.getMeanResponseTime()),
            figures.getTasksFailed(),
            figures.getTasksLost(),
            100 * figures.getSuccessRate())
        : "";
  }

  @Command(
      name = "stats",
      mixinStandardHelpOptions = true,
      description = "Counts the agents by type and status.")
  int stats(@Mixin ServerOptions options) {
    try (Connection connection = options.connect()) {
      FleetStatsResponse fleet =
          stub(connection, options)
              .fleetStats(FleetStatsRequest.newBuilder().setNamespace(options.namespace).build());
      List<String> fields =
          new ArrayList<>(
              List.of(
                  "agents",
                  Long.toString(fleet.getAgents()),
                  "alive",
                  Long.toString(fleet.getAlive()),
                  "busy",
                  String.format(
                      Locale.ROOT, "%d (%.1f %%)", fleet.getBusy(), 100 * fleet.getBusyShare()),
                  "by status",
                  counts(fleet.getStatusesList())));
      for (TypeCount type : fleet.getTypesList()) {
        fields.add(type.getType());
        fields.add(type.getAgents() + ": " + counts(type.getStatusesList()));
      }
      new Printer(console.out(), options.output).one(fleet, fields.toArray(String[]::new));
    }
    return ExitStatus.OK;
  }

  private static String counts(List<StatusCount> statuses) {
    return statuses.stream()
        .map(count -> count.getAgents() + " " + Text.of(count.getStatus()))
        .collect(Collectors.joining(", "));
  }

  @Command(
      name = "command",
      mixinStandardHelpOptions = true,
      description = "Sends a command down an agent's heartbeat stream.")
  int command(
      @Mixin ServerOptions options,
      @Parameters(paramLabel = "AGENT", description = "Its id.") String agentId,
      @Parameters(
              paramLabel = "COMMAND",
              description = "drain, quiet, terminate, cancel-task or message.")
          String command,
      @Option(names = "--reason", defaultValue = "", description = "Why.") String reason,
      @Option(names = "--queue", defaultValue = "", description = "With cancel-task: the queue.")
          String queue,
      @Option(names = "--task", defaultValue = "", description = "With cancel-task: the task.")
          String task,
      @Option(names = "--type", defaultValue = "", description = "With message: what it is.")
          String type,
      @Option(names = "--data", paramLabel = "TEXT", description = "With message: its content.")
          Optional<String> data,
      @Option(names = "--data-file", paramLabel = "FILE", description = "The same; - is stdin.")
          Optional<String> dataFile,
      @Option(
              names = "--lifetime",
              paramLabel = "DURATION",
              description = "For how long it is sent (default: 1h).")
          Optional<Duration> lifetime)
      throws IOException {
    AgentCommand.Builder given = AgentCommand.newBuilder();
    checkOptions(
        command,
        Map.of(
            "--reason",
            !reason.isEmpty(),
            "--queue",
            !queue.isEmpty(),
            "--task",
            !task.isEmpty(),
            "--type",
            !type.isEmpty(),
            "--data",
            data.isPresent(),
            "--data-file",
            dataFile.isPresent()));
    switch (command) {
      case "drain" -> given.setDrain(DrainCommand.newBuilder().setReason(reason));
      case "quiet" -> given.setQuiet(QuietCommand.newBuilder().setReason(reason));
      case "terminate" -> given.setTerminate(TerminateCommand.newBuilder().setReason(reason));
      case "cancel-task" ->
          given.setCancelTask(
              CancelTaskCommand.newBuilder().setQueue(queue).setTaskId(task).setReason(reason));
      case "message" ->
          given.setMessage(
              MessageCommand.newBuilder()
                  .setType(type)
                  .setData(Payloads.read(data, dataFile, console)));
      default ->
          throw new UsageException(
              "COMMAND: " + command + " (expected: drain, quiet, terminate, cancel-task, message)");
    }
    CommandAgentRequest.Builder request =
        CommandAgentRequest.newBuilder()
            .setNamespace(options.namespace)
            .setAgentId(agentId)
            .setCommand(given)
            .setRequestId(UUID.randomUUID().toString());
    lifetime.ifPresent(time -> request.setLifetime(Durations.fromNanos(time.toNanos())));
    try (Connection connection = options.connect()) {
      AgentCommand sent = stub(connection, options).commandAgent(request.build()).getCommand();
      new Printer(console.out(), options.output)
          .one(
              sent,
              "agent",
              agentId,
              "command",
              command,
              "number",
              Long.toString(sent.getNumber()),
              "expires",
              Text.of(sent.getExpireTime()));
    }
    return ExitStatus.OK;
  }

  /** What a command does not take is not passed over in silence. */
  private static void checkOptions(String command, Map<String, Boolean> given) {
    Set<String> taken =
        switch (command) {
          case "cancel-task" -> Set.of("--reason", "--queue", "--task");
          case "message" -> Set.of("--type", "--data", "--data-file");
          case "drain", "quiet", "terminate" -> Set.of("--reason");
          default -> given.keySet();
        };
    List<String> others =
        new TreeMap<>(given)
            .entrySet().stream()
                .filter(option -> option.getValue() && !taken.contains(option.getKey()))
                .map(Map.Entry::getKey)
                .toList();
    if (!others.isEmpty()) {
      throw new UsageException(String.join(", ", others) + ": not with " + command);
    }
  }

  @Command(
      name = "lease-ports",
      mixinStandardHelpOptions = true,
      description = "Leases ports of an agent's host to its session.")
  int leasePorts(
      @Mixin ServerOptions options,
      @Parameters(paramLabel = "AGENT", description = "Its id.") String agentId,
      @Option(names = "--count", defaultValue = "1", description = "How many, 1 to 16.")
          int count) {
    try (Connection connection = options.connect()) {
      LeasePortsResponse response =
          stub(connection, options)
              .leasePorts(
                  LeasePortsRequest.newBuilder()
                      .setNamespace(options.namespace)
                      .setAgentId(agentId)
                      .setCount(count)
                      .setRequestId(UUID.randomUUID().toString())
                      .build());
      new Printer(console.out(), options.output)
          .one(
              response,
              "leased",
              ports(response.getPortsList()),
              "all of the agent's",
              ports(response.getAgent().getPortsList()));
    }
    return ExitStatus.OK;
  }

  @Command(
      name = "release-ports",
      mixinStandardHelpOptions = true,
      description = "Gives ports of an agent's session back.")
  int releasePorts(
      @Mixin ServerOptions options,
      @Parameters(paramLabel = "AGENT", description = "Its id.") String agentId,
      @Parameters(paramLabel = "PORT", arity = "1..*", description = "The ports.")
          List<Integer> ports) {
    try (Connection connection = options.connect()) {
      List<Integer> held =
          stub(connection, options)
              .getAgent(
                  GetAgentRequest.newBuilder()
                      .setNamespace(options.namespace)
                      .setAgentId(agentId)
                      .build())
              .getAgent()
              .getPortsList();
      List<Integer> others = ports.stream().filter(port -> !held.contains(port)).toList();
      if (!others.isEmpty()) {
        console.err().println("not leased by " + agentId + ": " + ports(others));
        console.err().flush();
      }
      if (others.size() == ports.size()) {
        return ExitStatus.REFUSED;
      }
      Agent agent =
          stub(connection, options)
              .releasePorts(
                  ReleasePortsRequest.newBuilder()
                      .setNamespace(options.namespace)
                      .setAgentId(agentId)
                      .addAllPorts(ports)
                      .setRequestId(UUID.randomUUID().toString())
                      .build())
              .getAgent();
      new Printer(console.out(), options.output)
          .one(agent, "all of the agent's", ports(agent.getPortsList()));
    }
    return ExitStatus.OK;
  }

  private static String ports(List<Integer> ports) {
    return ports.stream().map(String::valueOf).collect(Collectors.joining(", "));
  }

  @Command(
      name = "watch",
      mixinStandardHelpOptions = true,
      description = "Prints every change of the agents that match.")
  int watch(
      @Mixin ServerOptions options,
      @Option(names = "--type", description = "Only of this type; repeatable.")
          @Nullable List<String> types,
      @Option(names = "--id", description = "Only this agent; repeatable.")
          @Nullable List<String> ids,
      @Option(
              names = "--from",
              paramLabel = "TOKEN",
              defaultValue = "",
              description = "After the change that this token came with (default: now).")
          String token,
      @Option(names = "--snapshot", description = "All that match as they are, then changes.")
          boolean snapshot,
      @Option(names = "--limit", defaultValue = "0", description = "End after so many; 0: never.")
          long limit) {
    WatchAgentsRequest request =
        WatchAgentsRequest.newBuilder()
            .setNamespace(options.namespace)
            .addAllTypes(Given.list(types))
            .addAllAgentIds(Given.list(ids))
            .setResumeToken(token)
            .setSnapshot(snapshot)
            .build();
    Printer printer = new Printer(console.out(), options.output);
    try (Connection connection = options.connect();
        ResumeHint hint = new ResumeHint(console)) {
      AgentStateServiceBlockingStub stub =
          AgentStateServiceGrpc.newBlockingStub(connection.channel());
      Iterator<WatchAgentsResponse> responses =
          Connection.within(stub, options.timeout).watchAgents(request);
      return Streams.read(
          responses,
          limit,
          options.timeout != null,
          response -> {
            if (!response.getResumeToken().isEmpty()) {
              hint.at(response.getResumeToken());
            }
            if (response.getMissed() > 0) {
              hint.say(response.getMissed() + " changes can no longer be read");
            }
            if (!response.hasChange()) {
              return 0;
            }
            hint.read();
            Agent agent = response.getChange().getAgent();
            printer.next(
                response,
                Text.of(response.getChange().getTime()),
                Text.of(response.getChange().getKind()),
                agent.getAgentId(),
                agent.getType(),
                Text.of(agent.getStatus()),
                agent.getCurrentTask());
            return 1;
          });
    } catch (StatusRuntimeException refusal) {
      throw Streams.refused(refusal, token, "a token of a watch with the same arguments");
    }
  }

  private static AgentStateServiceBlockingStub stub(Connection connection, ServerOptions options) {
    return Connection.within(
        AgentStateServiceGrpc.newBlockingStub(connection.channel()), options.timeoutOrUsual());
  }
}
