package dev.troupe.server.cli;

import dev.troupe.v1.Agent;
import dev.troupe.v1.AgentStateServiceGrpc;
import dev.troupe.v1.AgentStateServiceGrpc.AgentStateServiceBlockingStub;
import dev.troupe.v1.AgentStatus;
import dev.troupe.v1.GetAgentRequest;
import dev.troupe.v1.ListAgentsRequest;
import dev.troupe.v1.ListAgentsResponse;
import dev.troupe.v1.WatchAgentsRequest;
import dev.troupe.v1.WatchAgentsResponse;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code troupe agents}: who is there and what they do. */
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
      @Option(names = "--status", description = "Only with this status, such as idle.")
          Optional<String> status,
      @Option(names = "--capability", description = "Only with this capability; repeatable.")
          @Nullable List<String> capabilities,
      @Option(names = "--label", description = "Only with this label, KEY=VALUE; repeatable.")
          @Nullable Map<String, String> labels,
      @Option(names = "--limit", defaultValue = "100", description = "How many; 0 means all.")
          int limit) {
    ListAgentsRequest.Builder request =
        ListAgentsRequest.newBuilder()
            .setNamespace(options.namespace)
            .setType(type)
            .addAllCapabilities(Given.list(capabilities))
            .putAllLabels(Given.map(labels));
    status.ifPresent(name -> request.setStatus(Names.constant(AgentStatus.class, name)));
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
              "process",
              agent.getProcessId() == 0 ? "" : Long.toString(agent.getProcessId()),
              "capabilities",
              String.join(", ", agent.getCapabilitiesList()),
              "labels",
              Text.of(agent.getLabelsMap()),
              "version",
              Long.toString(agent.getVersion()),
              "fencing token",
              Long.toString(agent.getFencingToken()),
              "lease",
              Text.of(agent.getLeaseDuration()),
              "registered",
              Text.of(agent.getCreateTime()),
              "changed",
              Text.of(agent.getUpdateTime()),
              "heartbeat",
              Text.of(agent.getHeartbeatTime()));
    }
    return ExitStatus.OK;
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
      @Option(names = "--limit", defaultValue = "0", description = "End after so many; 0: never.")
          long limit) {
    WatchAgentsRequest request =
        WatchAgentsRequest.newBuilder()
            .setNamespace(options.namespace)
            .addAllTypes(Given.list(types))
            .addAllAgentIds(Given.list(ids))
            .setResumeToken(token)
            .build();
    Printer printer = new Printer(console.out(), options.output);
    try (Connection connection = options.connect()) {
      AgentStateServiceBlockingStub stub =
          AgentStateServiceGrpc.newBlockingStub(connection.channel());
      Iterator<WatchAgentsResponse> responses =
          Connection.within(stub, options.timeout).watchAgents(request);
      return Streams.read(
          responses,
          limit,
          options.timeout != null,
          response -> {
            if (response.getMissed() > 0) {
              console.err().println(response.getMissed() + " changes can no longer be read");
              console.err().flush();
            }
            if (!response.hasChange()) {
              return 0;
            }
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
    }
  }

  private static AgentStateServiceBlockingStub stub(Connection connection, ServerOptions options) {
    return Connection.within(
        AgentStateServiceGrpc.newBlockingStub(connection.channel()), options.timeoutOrUsual());
  }
}
