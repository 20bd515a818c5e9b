package dev.troupe.server.agent;

import static dev.troupe.server.agent.AgentScripts.add;
import static dev.troupe.server.agent.AgentScripts.agent;
import static dev.troupe.server.agent.AgentScripts.guarded;

import com.google.inject.Inject;
import dev.troupe.server.agent.PortBooking.HeldPort;
import dev.troupe.server.redis.Namespaces;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.Reply;
import dev.troupe.server.redis.Script;
import dev.troupe.v1.Agent;
import dev.troupe.v1.LeasePortsRequest;
import dev.troupe.v1.ReleasePortsRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * The ports of hosts and sessions, in Redis.
 *
 * <p>The partition of a host's name keeps its ports apart; that of the agent knows the session that
 * has them. Each step is one script; {@code lua/agent/ports.lua} says why no crash between two of
 * them leaks a port or gives it to two. Thread-safe; never blocks. A refusal is a {@code
 * TroupeException} in the stage.
 */
final class PortStore {

  /** Most ports of a session. */
  static final int MOST = 64;

  /** How long a booking may be given to a session. */
  static final long USABLE_MICROS = 60_000_000;

  private static final Script BOOK = Script.load("agent/book_ports");
  private static final Script CONFIRM = Script.load("agent/confirm_ports");
  private static final Script FREE = Script.load("agent/free_ports");
  private static final Script DUE = Script.load("agent/due_bookings");
  private static final Script LEASE = Script.load("agent/lease_ports");
  private static final Script RELEASE = Script.load("agent/release_ports");
  private static final Script HELD = Script.load("agent/held_ports");
  private static final Script FORGET = Script.load("agent/forget_ports");
  private static final Script USED = Script.load("agent/booking_used");

  private final AgentScripts scripts;
  private final Namespaces namespaces;

  @Inject
  PortStore(AgentScripts scripts, Namespaces namespaces) {
    this.scripts = scripts;
    this.namespaces = namespaces;
  }

  /** Where the ports of a host are kept. */
  CompletionStage<Partition> locate(String namespace, String host) {
    return namespaces.locate(namespace, "host/" + host);
  }

  /**
   * Books ports, all or none.
   *
   * @param id has to be a new one
   * @param hold when to look into it if it is not confirmed
   */
  CompletionStage<PortBooking> book(
      Partition partition,
      String host,
      String agentId,
      String id,
      int count,
      PortRange range,
      Duration hold) {
    List<Object> arguments = new ArrayList<>();
    add(arguments, host, agentId, id, count, range.first(), range.last(), hold.toNanos() / 1000);
    return scripts
        .run(BOOK, partition, arguments)
        .thenApply(
            reply -> {
              List<Integer> ports = new ArrayList<>();
              for (int i = 2; i < reply.size(); i++) {
                ports.add((int) reply.number(i));
              }
              return new PortBooking(partition, host, agentId, id, reply.number(1), ports);
            });
  }

  /** Takes the time limit off a booking that a session uses; one that is gone stays gone. */
  CompletionStage<?> confirm(PortBooking booking, long token) {
    List<Object> arguments = new ArrayList<>();
    add(arguments, booking.entry(), token, booking.agentId(), booking.host(), booking.id());
    arguments.addAll(booking.ports());
    return scripts.run(CONFIRM, booking.partition(), arguments);
  }

  /** Frees what was booked. */
  CompletionStage<?> free(PortBooking booking) {
    return free(booking.partition(), booking.host(), booking.entry(), booking.held());
  }

  /** Frees ports of one host, as far as they are still under the same bookings. */
  CompletionStage<?> free(Partition partition, String host, List<HeldPort> ports) {
    return free(partition, host, "", ports);
  }

  private CompletionStage<?> free(
      Partition partition, String host, String entry, List<HeldPort> ports) {
    List<Object> arguments = new ArrayList<>();
    add(arguments, host, entry);
    ports.forEach(port -> add(arguments, port.port(), port.booking()));
    return scripts.run(FREE, partition, arguments);
  }

  /** Bookings to be looked into, and when there may be more; negative when not known. */
  record Due(List<PortBooking> bookings, long dueInMicros) {}

  /** Takes bookings that were not confirmed in time, for the given time. */
  CompletionStage<Due> due(Partition partition, Duration claim) {
    return scripts
        .run(DUE, partition, List.of(claim.toNanos() / 1000))
        .thenApply(
            reply -> {
              List<PortBooking> bookings = new ArrayList<>();
              for (int i = 2; i < reply.size(); i++) {
                bookings.add(PortBooking.of(partition, reply.text(i)));
              }
              return new Due(bookings, reply.number(1));
            });
  }

  /** The token of the session that a booking was given to; 0 when there is none. */
  CompletionStage<Long> usedBy(Partition partition, String agentId, String booking) {
    return scripts.run(USED, partition, List.of(agentId, booking)).thenApply(r -> r.number(1));
  }

  /**
   * An agent after it got ports.
   *
   * @param booking id of the one that was used; that of an earlier call when this one repeats it
   * @param ports those of the booking, ascending
   */
  record Leased(Agent agent, String booking, List<Integer> ports) {}

  /**
   * Gives booked ports to a session.
   *
   * @param booking null when there are none to be had
   */
  CompletionStage<Leased> lease(
      Partition partition,
      LeasePortsRequest request,
      String digest,
      @Nullable PortBooking booking) {
    List<Object> arguments =
        guarded(
            partition, request.getAgentId(), request.getFence(), request.getRequestId(), digest);
    add(
        arguments,
        request.getFencingToken(),
        booking == null ? "" : booking.host(),
        booking == null ? "" : booking.id(),
        booking == null ? 0 : booking.madeMicros(),
        USABLE_MICROS,
        MOST);
    if (booking != null) {
      arguments.addAll(booking.ports());
    }
    return scripts
        .run(LEASE, partition, arguments)
        .thenApply(
            reply -> {
              List<Integer> leased = new ArrayList<>();
              for (int i = 3; i < reply.size(); i++) {
                leased.add((int) reply.number(i));
              }
              leased.sort(null);
              return new Leased(agent(reply, 2), reply.text(1), leased);
            });
  }

  /** An agent after it lost ports, and what has to be freed for that. */
  record Released(Agent agent, List<HeldPort> ports) {}

  /** Takes ports from a session; they are not free by that. */
  CompletionStage<Released> release(
      Partition partition, ReleasePortsRequest request, String digest) {
    List<Object> arguments =
        guarded(
            partition, request.getAgentId(), request.getFence(), request.getRequestId(), digest);
    arguments.add(request.getFencingToken());
    arguments.addAll(request.getPortsList());
    return scripts
        .run(RELEASE, partition, arguments)
        .thenApply(reply -> new Released(agent(reply, 2), ports(reply, 3)));
  }

  /** The ports of a session, current or over, that are not freed yet. */
  CompletionStage<List<HeldPort>> held(Partition partition, String agentId, long token) {
    return scripts
        .run(HELD, partition, List.of(agentId, token))
        .thenApply(reply -> ports(reply, 1));
  }

  /** Forgets ports of an agent that were freed. */
  CompletionStage<?> forget(Partition partition, String agentId, List<HeldPort> ports) {
    List<Object> arguments = new ArrayList<>();
    arguments.add(agentId);
    ports.forEach(port -> add(arguments, port.host(), port.port(), port.booking()));
    return scripts.run(FORGET, partition, arguments);
  }

  private static List<HeldPort> ports(Reply reply, int from) {
    List<HeldPort> ports = new ArrayList<>();
    for (int i = from; i < reply.size(); i += 3) {
      ports.add(new HeldPort(reply.text(i), (int) reply.number(i + 1), reply.text(i + 2)));
    }
    return ports;
  }
}
