package dev.troupe.client;

import dev.troupe.v1.Agent;
import dev.troupe.v1.AgentCommand;
import dev.troupe.v1.AgentStateServiceGrpc;
import dev.troupe.v1.CommandAgentRequest;
import dev.troupe.v1.CommandAgentResponse;
import dev.troupe.v1.FleetStatsRequest;
import dev.troupe.v1.FleetStatsResponse;
import dev.troupe.v1.GetAgentRequest;
import dev.troupe.v1.GetAgentResponse;
import dev.troupe.v1.LeasePortsRequest;
import dev.troupe.v1.LeasePortsResponse;
import dev.troupe.v1.ListAgentsRequest;
import dev.troupe.v1.ListAgentsResponse;
import dev.troupe.v1.RegisterAgentRequest;
import dev.troupe.v1.ReleasePortsRequest;
import dev.troupe.v1.ReleasePortsResponse;
import dev.troupe.v1.UpdateAgentRequest;
import dev.troupe.v1.UpdateAgentResponse;
import dev.troupe.v1.WatchAgentsRequest;
import dev.troupe.v1.WatchAgentsResponse;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * The registry of agents, asynchronously. A future fails with {@link TroupeClientException}.
 * Limits, defaults and errors are those of {@code AgentStateService}.
 */
public final class AgentClient {

  private final ClientRuntime runtime;

  AgentClient(ClientRuntime runtime) {
    this.runtime = runtime;
  }

  /** Registers an agent and keeps its session alive until it is closed. */
  public CompletableFuture<AgentSession> register(RegisterAgentRequest request) {
    return runtime
        .call(AgentStateServiceGrpc.getRegisterAgentMethod(), request)
        .thenApply(answer -> AgentSession.begin(runtime, request.getNamespace(), answer));
  }

  /** An agent as it is. */
  public CompletableFuture<Agent> get(String agentId) {
    return runtime
        .call(
            AgentStateServiceGrpc.getGetAgentMethod(),
            GetAgentRequest.newBuilder().setAgentId(agentId).build())
        .thenApply(GetAgentResponse::getAgent);
  }

  /** Changes the fields that the mask names. */
  public CompletableFuture<Agent> update(UpdateAgentRequest request) {
    return runtime
        .call(AgentStateServiceGrpc.getUpdateAgentMethod(), request)
        .thenApply(UpdateAgentResponse::getAgent);
  }

  /** One page of the agents that fit. */
  public CompletableFuture<ListAgentsResponse> list(ListAgentsRequest request) {
    return runtime.call(AgentStateServiceGrpc.getListAgentsMethod(), request);
  }

  /** Sends a command down the heartbeat stream of an agent; the answer tells its number. */
  public CompletableFuture<AgentCommand> command(CommandAgentRequest request) {
    return runtime
        .call(AgentStateServiceGrpc.getCommandAgentMethod(), request)
        .thenApply(CommandAgentResponse::getCommand);
  }

  /** Leases ports of the agent's host to its session. */
  public CompletableFuture<LeasePortsResponse> leasePorts(LeasePortsRequest request) {
    return runtime.call(AgentStateServiceGrpc.getLeasePortsMethod(), request);
  }

  /** Gives ports of a session back. */
  public CompletableFuture<Agent> releasePorts(ReleasePortsRequest request) {
    return runtime
        .call(AgentStateServiceGrpc.getReleasePortsMethod(), request)
        .thenApply(ReleasePortsResponse::getAgent);
  }

  /** Counts the agents by type and status. */
  public CompletableFuture<FleetStatsResponse> fleetStats() {
    return runtime.call(
        AgentStateServiceGrpc.getFleetStatsMethod(), FleetStatsRequest.getDefaultInstance());
  }

  /**
   * Hears of every change from now on, or from the request's resume token, across lost connections.
   * Responses come one at a time; a slow consumer slows the stream down. With a snapshot, one that
   * breaks before it is complete begins anew.
   */
  public Subscription watch(WatchAgentsRequest request, Consumer<WatchAgentsResponse> consumer) {
    return new ResumingStream<>(
            runtime,
            AgentStateServiceGrpc.getWatchAgentsMethod(),
            token -> request.toBuilder().setResumeToken(token).build(),
            request.getResumeToken(),
            (stream, response) -> {
              consumer.accept(response);
              return response.getResumeToken();
            })
        .open();
  }
}
