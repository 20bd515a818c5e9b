package dev.troupe.server.agent;

import com.google.inject.Inject;
import dev.troupe.server.agent.PortBooking.HeldPort;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.grpc.Checks;
import dev.troupe.server.grpc.Names;
import dev.troupe.server.grpc.RequestDigest;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.PartitionSweep.Swept;
import dev.troupe.v1.Agent;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.LeasePortsRequest;
import dev.troupe.v1.RegisterAgentRequest;
import dev.troupe.v1.ReleasePortsRequest;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Leases ports of hosts to sessions, step by step through the partitions of the host and of the
 * agent, and frees them when a session is over.
 */
final class AgentPorts implements SessionEndListener {

  private static final Logger log = LoggerFactory.getLogger(AgentPorts.class);

  /**
   * Long after a booking may be used, so that whoever looks into it then finds out for good whether
   * it was.
   */
  private static final Duration HOLD = Duration.ofMinutes(10);

  private static final Duration CLAIM = Duration.ofSeconds(10);

  private final AgentStore agents;
  private final PortStore ports;
  private final PortRange range;

  @Inject
  AgentPorts(AgentStore agents, PortStore ports, AgentConfig config) {
    this.agents = agents;
    this.ports = ports;
    this.range = config.ports();
  }

  /** Registers an agent, with as many ports as it asks for. */
  CompletionStage<AgentStore.Registered> register(
      Partition partition, RegisterAgentRequest request, String digest) {
    if (request.getPorts() == 0) {
      return agents.register(partition, request, digest, null);
    }
    return withPorts(
        new Wish(
            partition.namespace(), request.getHost(), request.getAgentId(), request.getPorts()),
        booking -> agents.register(partition, request, digest, booking),
        AgentStore.Registered::booking,
        AgentStore.Registered::agent);
  }

  /** Leases more ports to a session. */
  CompletionStage<PortStore.Leased> lease(LeasePortsRequest request) {
    String digest = RequestDigest.of(request.getRequestId(), request);
    return agents
        .locate(Names.namespace(request.getNamespace()), request.getAgentId())
        .thenCompose(
            partition ->
                agents
                    .get(partition, request.getAgentId())
                    .thenApply(AgentPorts::hostOf)
                    .handle(
                        (host, failure) ->
                            failure == null
                                ? lease(partition, host, request, digest)
                                : leaseNothing(partition, request, digest, failure))
                    .thenCompose(Function.identity()));
  }

  private CompletionStage<PortStore.Leased> lease(
      Partition partition, String host, LeasePortsRequest request, String digest) {
    return withPorts(
        new Wish(
            partition.namespace(), host, request.getAgentId(), Math.max(1, request.getCount())),
        booking -> ports.lease(partition, request, digest, booking),
        PortStore.Leased::booking,
        PortStore.Leased::agent);
  }

  /** The answer to a request may be kept for longer than what it was about. */
  private CompletionStage<PortStore.Leased> leaseNothing(
      Partition partition, LeasePortsRequest request, String digest, Throwable failure) {
    return request.getRequestId().isEmpty()
        ? CompletableFuture.failedFuture(failure)
        : ports
            .lease(partition, request, digest, null)
            .exceptionallyCompose(
                other ->
                    CompletableFuture.failedFuture(
                        is(ErrorReason.ERROR_REASON_LIMIT_EXCEEDED, other) ? failure : other));
  }

  private static String hostOf(Agent agent) {
    new Checks().that(!agent.getHost().isEmpty(), "agent_id", "the agent has no host").done();
    return agent.getHost();
  }

  private record Wish(String namespace, String host, String agentId, int count) {}

  /**
   * Books ports and uses them. What surely was not used is freed at once, and what was is
   * confirmed; if that fails, it is made up for when the booking is due.
   *
   * @param use is given no booking when there is none to be had: it may repeat an earlier call
   * @param used tells which booking was used
   */
  private <T> CompletionStage<T> withPorts(
      Wish wish,
      Function<@Nullable PortBooking, CompletionStage<T>> use,
      Function<T, String> used,
      Function<T, Agent> agent) {
    return ports
        .locate(wish.namespace, wish.host)
        .thenCompose(
            at ->
                ports.book(
                    at,
                    wish.host,
                    wish.agentId,
                    UUID.randomUUID().toString(),
                    wish.count,
                    range,
                    HOLD))
        .handle(
            (booking, failure) -> {
              if (failure == null) {
                return use.apply(booking)
                    .whenComplete(
                        (result, refusal) -> settle(booking, result, refusal, used, agent));
              }
              return is(ErrorReason.ERROR_REASON_LIMIT_EXCEEDED, failure)
                  ? use.apply(null)
                      .exceptionallyCompose(
                          other ->
                              CompletableFuture.failedFuture(
                                  is(ErrorReason.ERROR_REASON_LIMIT_EXCEEDED, other)
                                      ? usedUp(wish.host)
                                      : other))
                  : CompletableFuture.<T>failedFuture(failure);
            })
        .thenCompose(Function.identity());
  }

  private <T> void settle(
      PortBooking booking,
      @Nullable T result,
      @Nullable Throwable refusal,
      Function<T, String> used,
      Function<T, Agent> agent) {
    if (result != null && used.apply(result).equals(booking.id())) {
      quietly(ports.confirm(booking, agent.apply(result).getFencingToken()));
    } else if (result != null || !mayHaveHappened(refusal)) {
      quietly(ports.free(booking));
    }
  }

  private static void quietly(CompletionStage<?> step) {
    step.whenComplete(
        (done, failure) -> {
          if (failure != null) {
            log.debug("a booking of ports is settled when it is due: {}", failure.toString());
          }
        });
  }

  private static boolean mayHaveHappened(@Nullable Throwable failure) {
    return !(cause(failure) instanceof TroupeException refusal)
        || refusal.reason() == ErrorReason.ERROR_REASON_OUTCOME_UNKNOWN;
  }

  private TroupeException usedUp(String host) {
    return TroupeException.of(
        ErrorReason.ERROR_REASON_LIMIT_EXCEEDED,
        "not as many ports are free on the host",
        Map.of("limit", Integer.toString(range.size()), "host", host, "range", range.toString()));
  }

  private static boolean is(ErrorReason reason, Throwable failure) {
    return cause(failure) instanceof TroupeException refusal && refusal.reason() == reason;
  }

  private static @Nullable Throwable cause(@Nullable Throwable failure) {
    return failure instanceof CompletionException ? failure.getCause() : failure;
  }

  /** Takes ports from a session and frees them. */
  CompletionStage<Agent> release(ReleasePortsRequest request) {
    return agents
        .locate(Names.namespace(request.getNamespace()), request.getAgentId())
        .thenCompose(
            partition ->
                ports
                    .release(partition, request, RequestDigest.of(request.getRequestId(), request))
                    .thenCompose(
                        released ->
                            free(partition, request.getAgentId(), released.ports())
                                .thenApply(done -> released.agent())));
  }

  @Override
  public CompletionStage<?> sessionEnded(SessionEnd end) {
    return agents
        .locate(end.namespace(), end.agentId())
        .thenCompose(
            partition ->
                ports
                    .held(partition, end.agentId(), end.token())
                    .thenCompose(held -> free(partition, end.agentId(), held)));
  }

  /** Frees ports of an agent on whichever hosts, then forgets them: a crash leaves the rest. */
  private CompletionStage<?> free(Partition partition, String agentId, List<HeldPort> held) {
    if (held.isEmpty()) {
      return CompletableFuture.completedFuture(null);
    }
    Map<String, List<HeldPort>> byHost =
        held.stream().collect(Collectors.groupingBy(HeldPort::host));
    CompletableFuture<?>[] all =
        byHost.entrySet().stream()
            .map(
                of ->
                    ports
                        .locate(partition.namespace(), of.getKey())
                        .thenCompose(at -> ports.free(at, of.getKey(), of.getValue()))
                        .toCompletableFuture())
            .toArray(CompletableFuture<?>[]::new);
    return CompletableFuture.allOf(all)
        .thenCompose(freed -> ports.forget(partition, agentId, held));
  }

  /** Looks into the bookings of a partition that were not confirmed in time. */
  CompletionStage<Swept> lookInto(Partition partition) {
    return ports
        .due(partition, CLAIM)
        .thenCompose(
            due ->
                CompletableFuture.allOf(
                        due.bookings().stream()
                            .map(booking -> lookInto(booking).toCompletableFuture())
                            .toArray(CompletableFuture<?>[]::new))
                    .thenApply(
                        done ->
                            new Swept(
                                due.bookings().size() >= AgentStore.MOST_SWEPT,
                                due.dueInMicros())));
  }

  private CompletionStage<?> lookInto(PortBooking booking) {
    return agents
        .locate(booking.partition().namespace(), booking.agentId())
        .thenCompose(at -> ports.usedBy(at, booking.agentId(), booking.id()))
        .thenCompose(token -> settle(booking, token));
  }

  private CompletionStage<?> settle(PortBooking booking, long token) {
    return token == 0 ? ports.free(booking) : ports.confirm(booking, token);
  }
}
