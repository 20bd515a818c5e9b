package dev.troupe.bench;

import dev.troupe.v1.AcquireRequest;
import dev.troupe.v1.AgentStateServiceGrpc;
import dev.troupe.v1.LeasePortsRequest;
import dev.troupe.v1.LockServiceGrpc;
import dev.troupe.v1.SessionBinding;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.stub.ClientCalls;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;

/**
 * Agents on several hosts, whose heartbeats one thread sends, evenly over the interval. The agents
 * of a host share a stream.
 */
final class AgentFleet implements AutoCloseable {

  /** A third of the lease, as the server wants it. */
  static final Duration INTERVAL = Duration.ofSeconds(5);

  private static final int IN_FLIGHT = 64;
  private static final int LANES_PER_SERVER = 4;
  private static final com.google.protobuf.Duration LONG =
      com.google.protobuf.Duration.newBuilder().setSeconds(3600).build();

  private final List<ManagedChannel> channels;
  private final List<HeartbeatLane> lanes = new ArrayList<>();
  private final List<SimulatedAgent> agents = new ArrayList<>();
  private final Thread pace = new Thread(this::beat, "heartbeats");
  private volatile boolean over;

  /**
   * A fleet that is not registered yet.
   *
   * @param channels one to each server
   */
  AgentFleet(List<ManagedChannel> channels, int size, int hosts) {
    this.channels = channels;
    for (int i = 0; i < channels.size() * LANES_PER_SERVER; i++) {
      lanes.add(HeartbeatLane.open(channels.get(i % channels.size())));
    }
    for (int i = 0; i < size; i++) {
      agents.add(new SimulatedAgent(i, i % hosts));
    }
    pace.setDaemon(true);
  }

  List<SimulatedAgent> agents() {
    return agents;
  }

  /** Registers all and begins their heartbeats. */
  void begin() {
    register(agents);
    pace.start();
  }

  /** Registers agents, with new sessions. */
  void register(Collection<SimulatedAgent> some) {
    forEach(
        some,
        agent ->
            call(agent, AgentStateServiceGrpc.getRegisterAgentMethod(), agent.registration())
                .thenAccept(response -> agent.registered(response.getAgent().getFencingToken())));
  }

  /** Gives each a lock and a port, which end with its session. */
  void equip(Collection<SimulatedAgent> some) {
    forEach(
        some,
        agent ->
            call(
                agent,
                LockServiceGrpc.getAcquireMethod(),
                AcquireRequest.newBuilder()
                    .setName("lock-of-" + agent.id)
                    .setOwner(agent.id)
                    .setTtl(LONG)
                    .setSession(
                        SessionBinding.newBuilder()
                            .setAgentId(agent.id)
                            .setFencingToken(agent.token()))
                    .build()));
    forEach(
        some,
        agent ->
            call(
                agent,
                AgentStateServiceGrpc.getLeasePortsMethod(),
                LeasePortsRequest.newBuilder()
                    .setAgentId(agent.id)
                    .setFencingToken(agent.token())
                    .build()));
  }

  /** Some calls at a time. */
  private static void forEach(
      Collection<SimulatedAgent> some, Function<SimulatedAgent, CompletableFuture<?>> call) {
    List<CompletableFuture<?>> calls = new ArrayList<>();
    for (SimulatedAgent agent : some) {
      if (calls.size() >= IN_FLIGHT) {
        calls.get(calls.size() - IN_FLIGHT).join();
      }
      calls.add(call.apply(agent));
    }
    calls.forEach(CompletableFuture::join);
  }

  private <Q, A> CompletableFuture<A> call(
      SimulatedAgent agent, MethodDescriptor<Q, A> method, Q request) {
    Answer<A> answer = new Answer<>();
    ManagedChannel channel = channels.get(agent.host % channels.size());
    ClientCalls.asyncUnaryCall(
        channel.newCall(method, CallOptions.DEFAULT.withDeadlineAfter(60, TimeUnit.SECONDS)),
        request,
        answer);
    return answer.future;
  }

  private void beat() {
    long begin = System.nanoTime();
    double apart = (double) INTERVAL.toNanos() / agents.size();
    for (long slot = 0; !over; slot++) {
      long due = begin + (long) (slot * apart);
      long wait = due - System.nanoTime();
      while (wait > 0 && !over) {
        LockSupport.parkNanos(wait);
        wait = due - System.nanoTime();
      }
      SimulatedAgent agent = agents.get((int) (slot % agents.size()));
      synchronized (agent) {
        if (!agent.isSilent()) {
          lane(agent).beat(agent, due);
        }
      }
    }
  }

  private HeartbeatLane lane(SimulatedAgent agent) {
    return lanes.get(agent.host % lanes.size());
  }

  /** Ends the heartbeats of some, whose leases then end over the length of an interval. */
  void kill(Collection<SimulatedAgent> some) {
    for (SimulatedAgent agent : some) {
      synchronized (agent) {
        agent.fallSilent();
      }
    }
  }

  /** Has some beat once more, all at once, before they die: their leases end all at once. */
  void killInStep(Collection<SimulatedAgent> some) {
    for (SimulatedAgent agent : some) {
      synchronized (agent) {
        agent.fallSilent();
        lane(agent).beat(agent, System.nanoTime());
      }
    }
  }

  /** How long answers to heartbeats took since this was last called. */
  Samples answerTimes() {
    return Samples.of(lanes.stream().map(HeartbeatLane::take).toList());
  }

  @Override
  public void close() throws InterruptedException {
    over = true;
    pace.join();
    channels.forEach(ManagedChannel::shutdownNow);
  }
}
