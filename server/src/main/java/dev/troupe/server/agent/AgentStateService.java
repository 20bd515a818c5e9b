package dev.troupe.server.agent;

import static dev.troupe.server.grpc.Answers.answer;

import com.google.inject.Inject;
import com.google.protobuf.util.Durations;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.grpc.Checks;
import dev.troupe.server.grpc.Names;
import dev.troupe.server.grpc.RequestDigest;
import dev.troupe.server.grpc.StatusMapper;
import dev.troupe.v1.AgentStateServiceGrpc;
import dev.troupe.v1.CommandAgentRequest;
import dev.troupe.v1.CommandAgentResponse;
import dev.troupe.v1.DeregisterAgentRequest;
import dev.troupe.v1.DeregisterAgentResponse;
import dev.troupe.v1.FleetStatsRequest;
import dev.troupe.v1.FleetStatsResponse;
import dev.troupe.v1.GetAgentRequest;
import dev.troupe.v1.GetAgentResponse;
import dev.troupe.v1.HeartbeatRequest;
import dev.troupe.v1.HeartbeatResponse;
import dev.troupe.v1.LeasePortsRequest;
import dev.troupe.v1.LeasePortsResponse;
import dev.troupe.v1.ListAgentsRequest;
import dev.troupe.v1.ListAgentsResponse;
import dev.troupe.v1.RegisterAgentRequest;
import dev.troupe.v1.RegisterAgentResponse;
import dev.troupe.v1.ReleasePortsRequest;
import dev.troupe.v1.ReleasePortsResponse;
import dev.troupe.v1.UpdateAgentRequest;
import dev.troupe.v1.UpdateAgentResponse;
import dev.troupe.v1.WatchAgentsRequest;
import dev.troupe.v1.WatchAgentsResponse;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;

/** The gRPC face of the agent registry: check, call, answer. */
final class AgentStateService extends AgentStateServiceGrpc.AgentStateServiceImplBase {

  private final AgentStore store;
  private final AgentChanges changes;
  private final AgentListing listing;
  private final HeartbeatStreams heartbeats;
  private final AgentWatching watching;
  private final AgentPorts ports;
  private final CommandStore commands;
  private final FleetCounting fleet;

  @Inject
  AgentStateService(
      AgentStore store,
      AgentChanges changes,
      AgentListing listing,
      HeartbeatStreams heartbeats,
      AgentWatching watching,
      AgentPorts ports,
      CommandStore commands,
      FleetCounting fleet) {
    this.store = store;
    this.changes = changes;
    this.listing = listing;
    this.heartbeats = heartbeats;
    this.watching = watching;
    this.ports = ports;
    this.commands = commands;
    this.fleet = fleet;
  }

  @Override
  public void registerAgent(
      RegisterAgentRequest request, StreamObserver<RegisterAgentResponse> caller) {
    answer(
        caller,
        () -> {
          AgentChecks.register(request);
          return changes
              .register(request)
              .thenApply(
                  registered ->
                      RegisterAgentResponse.newBuilder()
                          .setAgent(registered.agent())
                          .setReplaced(registered.replaced())
                          .setHeartbeatInterval(
                              Durations.fromMicros(
                                  Durations.toMicros(registered.agent().getLeaseDuration()) / 3))
                          .build());
        });
  }

  @Override
  public StreamObserver<HeartbeatRequest> heartbeat(StreamObserver<HeartbeatResponse> caller) {
    return heartbeats.open(caller);
  }

  @Override
  public void getAgent(GetAgentRequest request, StreamObserver<GetAgentResponse> caller) {
    answer(
        caller,
        () -> {
          new Checks()
              .namespace(request.getNamespace())
              .name("agent_id", request.getAgentId())
              .done();
          return store
              .locate(Names.namespace(request.getNamespace()), request.getAgentId())
              .thenCompose(partition -> store.get(partition, request.getAgentId()))
              .thenApply(agent -> GetAgentResponse.newBuilder().setAgent(agent).build());
        });
  }

  @Override
  public void updateAgent(UpdateAgentRequest request, StreamObserver<UpdateAgentResponse> caller) {
    answer(
        caller,
        () -> {
          AgentChecks.update(request);
          return changes
              .update(request)
              .thenApply(agent -> UpdateAgentResponse.newBuilder().setAgent(agent).build());
        });
  }

  @Override
  public void listAgents(ListAgentsRequest request, StreamObserver<ListAgentsResponse> caller) {
    answer(
        caller,
        () -> {
          AgentChecks.list(request);
          return listing.list(request);
        });
  }

  @Override
  public void fleetStats(FleetStatsRequest request, StreamObserver<FleetStatsResponse> caller) {
    answer(
        caller,
        () -> {
          new Checks().namespace(request.getNamespace()).done();
          return fleet.count(Names.namespace(request.getNamespace()));
        });
  }

  @Override
  public void deregisterAgent(
      DeregisterAgentRequest request, StreamObserver<DeregisterAgentResponse> caller) {
    answer(
        caller,
        () -> {
          new Checks()
              .namespace(request.getNamespace())
              .name("agent_id", request.getAgentId())
              .that(request.getFencingToken() >= 0, "fencing_token", "expected 0 or more")
              .optionalName("reason", request.getReason())
              .requestId(request.getRequestId())
              .fence(request.hasFence(), request.getFence())
              .done();
          return changes
              .deregister(request)
              .thenApply(agent -> DeregisterAgentResponse.newBuilder().setAgent(agent).build());
        });
  }

  @Override
  public void commandAgent(
      CommandAgentRequest request, StreamObserver<CommandAgentResponse> caller) {
    answer(
        caller,
        () -> {
          AgentChecks.command(request);
          String digest = RequestDigest.of(request.getRequestId(), request);
          return store
              .locate(Names.namespace(request.getNamespace()), request.getAgentId())
              .thenCompose(partition -> commands.command(partition, request, digest))
              .thenApply(command -> CommandAgentResponse.newBuilder().setCommand(command).build());
        });
  }

  @Override
  public void leasePorts(LeasePortsRequest request, StreamObserver<LeasePortsResponse> caller) {
    answer(
        caller,
        () -> {
          AgentChecks.lease(request);
          return ports
              .lease(request)
              .thenApply(
                  leased ->
                      LeasePortsResponse.newBuilder()
                          .addAllPorts(leased.ports())
                          .setAgent(leased.agent())
                          .build());
        });
  }

  @Override
  public void releasePorts(
      ReleasePortsRequest request, StreamObserver<ReleasePortsResponse> caller) {
    answer(
        caller,
        () -> {
          AgentChecks.release(request);
          return ports
              .release(request)
              .thenApply(agent -> ReleasePortsResponse.newBuilder().setAgent(agent).build());
        });
  }

  @Override
  public void watchAgents(WatchAgentsRequest request, StreamObserver<WatchAgentsResponse> caller) {
    try {
      new Checks()
          .namespace(request.getNamespace())
          .names("types", request.getTypesList(), 64)
          .names("agent_ids", request.getAgentIdsList(), 256)
          .done();
    } catch (TroupeException refusal) {
      caller.onError(StatusMapper.toStatus(refusal));
      return;
    }
    watching.watch(request, (ServerCallStreamObserver<WatchAgentsResponse>) caller);
  }
}
