package dev.troupe.client;

import static dev.troupe.client.Blocking.await;

import dev.troupe.v1.Agent;
import dev.troupe.v1.AgentCommand;
import dev.troupe.v1.CommandAgentRequest;
import dev.troupe.v1.FleetStatsResponse;
import dev.troupe.v1.LeasePortsRequest;
import dev.troupe.v1.LeasePortsResponse;
import dev.troupe.v1.ListAgentsRequest;
import dev.troupe.v1.ListAgentsResponse;
import dev.troupe.v1.RegisterAgentRequest;
import dev.troupe.v1.ReleasePortsRequest;
import dev.troupe.v1.UpdateAgentRequest;

/** {@link AgentClient} for callers who wait. Every call throws {@link TroupeClientException}. */
public final class BlockingAgentClient {

  private final AgentClient agents;

  BlockingAgentClient(AgentClient agents) {
    this.agents = agents;
  }

  /** See {@link AgentClient#register}. */
  public AgentSession register(RegisterAgentRequest request) {
    return await(agents.register(request));
  }

  /** See {@link AgentClient#get}. */
  public Agent get(String agentId) {
    return await(agents.get(agentId));
  }

  /** See {@link AgentClient#update}. */
  public Agent update(UpdateAgentRequest request) {
    return await(agents.update(request));
  }

  /** See {@link AgentClient#list}. */
  public ListAgentsResponse list(ListAgentsRequest request) {
    return await(agents.list(request));
  }

  /** See {@link AgentClient#command}. */
  public AgentCommand command(CommandAgentRequest request) {
    return await(agents.command(request));
  }

  /** See {@link AgentClient#leasePorts}. */
  public LeasePortsResponse leasePorts(LeasePortsRequest request) {
    return await(agents.leasePorts(request));
  }

  /** See {@link AgentClient#releasePorts}. */
  public Agent releasePorts(ReleasePortsRequest request) {
    return await(agents.releasePorts(request));
  }

  /** See {@link AgentClient#fleetStats}. */
  public FleetStatsResponse fleetStats() {
    return await(agents.fleetStats());
  }
}
