package dev.troupe.server.agent;

import static dev.troupe.server.agent.AgentScripts.add;
import static dev.troupe.server.agent.AgentScripts.agent;
import static dev.troupe.server.agent.AgentScripts.guarded;

import com.google.inject.Inject;
import com.google.protobuf.Duration;
import com.google.protobuf.util.Durations;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.redis.Namespaces;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.PartitionSweep.Swept;
import dev.troupe.server.redis.Reply;
import dev.troupe.server.redis.Script;
import dev.troupe.v1.Agent;
import dev.troupe.v1.AgentStatus;
import dev.troupe.v1.Fence;
import dev.troupe.v1.RegisterAgentRequest;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * The agents of all namespaces, in Redis.
 *
 * <p>Each change is one script: the record, its place in every index, its deadline and the entry in
 * the partition's log change together or not at all. Thread-safe; never blocks. A refusal is a
 * {@link TroupeException} in the stage.
 */
public final class AgentStore {

  /** Most agents of one heartbeat script. */
  public static final int MOST_HEARTBEATS = 256;

  /** Statuses that an agent can have, from 1 on. */
  static final int STATUSES = 8;

  /** Most agents of each kind that one sweep moves; one that moves as many has to be followed. */
  static final int MOST_SWEPT = 64;

  private static final Script REGISTER = Script.load("agent/register");
  private static final Script HEARTBEAT = Script.load("agent/heartbeat");
  private static final Script UPDATE = Script.load("agent/update");
  private static final Script DEREGISTER = Script.load("agent/deregister");
  private static final Script GET = Script.load("agent/get");
  private static final Script LIST = Script.load("agent/list");
  private static final Script READ = Script.load("agent/read");
  private static final Script FLEET = Script.load("agent/fleet");
  private static final Script SWEEP = Script.load("agent/sweep");
  private static final Script ENDINGS = Script.load("agent/endings");
  private static final Script SETTLE = Script.load("agent/settle");
  private static final int TIME_DIGITS = 16;
  private static final Duration LEASE = Durations.fromSeconds(10);

  private final AgentScripts scripts;
  private final Namespaces namespaces;

  @Inject
  AgentStore(AgentScripts scripts, Namespaces namespaces) {
    this.scripts = scripts;
    this.namespaces = namespaces;
  }

  /**
   * What came of a registration, which may be one that is repeated.
   *
   * @param replaced whether it ended an earlier session
   * @param booking id of the booking that its ports are from; empty without ports
   */
  record Registered(Agent agent, boolean replaced, String booking) {}

  /** What a registration says of the agent. */
  static Agent described(RegisterAgentRequest request) {
    Agent.Builder agent =
        Agent.newBuilder()
            .setAgentId(request.getAgentId())
            .setType(request.getType())
            .addAllCapabilities(request.getCapabilitiesList())
            .putAllLabels(request.getLabelsMap())
            .setHost(request.getHost())
            .setProcessId(request.getProcessId())
            .setSoftwareVersion(request.getSoftwareVersion());
    if (request.hasProcessStartTime()) {
      agent.setProcessStartTime(request.getProcessStartTime());
    }
    if (request.hasConfiguration()) {
      agent.setConfiguration(request.getConfiguration());
    }
    return agent.build();
  }

  /** Where an agent lives. */
  public CompletionStage<Partition> locate(String namespace, String agentId) {
    return namespaces.locate(namespace, agentId);
  }

  /**
   * Opens a session under a token higher than any before it.
   *
   * @param booking of the ports that it gets; null when there are none to be had
   */
  CompletionStage<Registered> register(
      Partition partition,
      RegisterAgentRequest request,
      String digest,
      @Nullable PortBooking booking) {
    Agent agent = described(request);
    AgentStatus status =
        request.getStatus() == AgentStatus.AGENT_STATUS_UNSPECIFIED
            ? AgentStatus.AGENT_STATUS_STARTING
            : request.getStatus();
    List<Object> arguments =
        guarded(partition, agent.getAgentId(), request.getFence(), request.getRequestId(), digest);
    add(
        arguments,
        agent.toByteArray(),
        status.getNumber(),
        Durations.toMicros(request.hasLeaseDuration() ? request.getLeaseDuration() : LEASE),
        request.getMetrics().toByteArray(),
        request.getHost(),
        request.getPorts());
    add(
        arguments,
        booking == null ? "" : booking.id(),
        booking == null ? 0 : booking.madeMicros(),
        PortStore.USABLE_MICROS,
        booking == null ? 0 : booking.ports().size());
    if (booking != null) {
      arguments.addAll(booking.ports());
    }
    arguments.addAll(indexKeys(agent));
    return scripts
        .run(REGISTER, partition, arguments)
        .thenApply(reply -> new Registered(agent(reply, 2), reply.number(1) == 1, reply.text(3)));
  }

  /** The indexes that an agent stands in, but for its status; that of its type is first. */
  static List<String> indexKeys(Agent agent) {
    List<String> keys = new ArrayList<>();
    keys.add("type:" + agent.getType());
    agent.getCapabilitiesList().stream().distinct().forEach(can -> keys.add("cap:" + can));
    agent.getLabelsMap().forEach((key, value) -> keys.add(labelKey(key, value)));
    return keys;
  }

  static String labelKey(String key, String value) {
    return "label:"
        + key.getBytes(java.nio.charset.StandardCharsets.UTF_8).length
        + ":"
        + key
        + "="
        + value;
  }

  static String statusKey(AgentStatus status) {
    return "status:" + status.getNumber();
  }

  /** Reads one agent. */
  public CompletionStage<Agent> get(Partition partition, String agentId) {
    return scripts.run(GET, partition, List.of(agentId)).thenApply(reply -> agent(reply, 2));
  }

  /** What of an agent an update writes. Metrics alone do not count as a change. */
  enum Written {
    AGENT("a"),
    METRICS("m"),
    BOTH("am");

    private final String letters;

    Written(String letters) {
      this.letters = letters;
    }
  }

  /**
   * Writes an agent anew, if it is still of the given version.
   *
   * @param version the one that {@code agent} was read with; -1 for any
   * @param token the session that has to be current; 0 for any
   */
  CompletionStage<Agent> update(
      Partition partition,
      Agent agent,
      Written written,
      long version,
      long token,
      Fence fence,
      String requestId,
      String digest) {
    List<Object> arguments = guarded(partition, agent.getAgentId(), fence, requestId, digest);
    add(arguments, version, token);
    add(arguments, written.letters, agent.getMetrics().toByteArray());
    add(
        arguments,
        agent.toBuilder()
            .clearStatus()
            .clearCurrentTask()
            .clearVersion()
            .clearFencingToken()
            .clearLeaseDuration()
            .clearCreateTime()
            .clearUpdateTime()
            .clearHeartbeatTime()
            .clearMetrics()
            .clearPorts()
            .clearFigures()
            .build()
            .toByteArray(),
        agent.getStatusValue(),
        agent.getCurrentTask());
    arguments.addAll(indexKeys(agent));
    return scripts.run(UPDATE, partition, arguments).thenApply(reply -> agent(reply, 2));
  }

  /** Ends a session; the record stays readable for the retention. */
  public CompletionStage<Agent> deregister(
      Partition partition,
      String agentId,
      long token,
      String reason,
      java.time.Duration retention,
      Fence fence,
      String requestId,
      String digest) {
    List<Object> arguments = guarded(partition, agentId, fence, requestId, digest);
    add(arguments, token, reason, retention.toNanos() / 1000);
    return scripts.run(DEREGISTER, partition, arguments).thenApply(reply -> agent(reply, 2));
  }

  /** Takes up to {@value #MOST_HEARTBEATS} heartbeats; the outcomes are in their order. */
  CompletionStage<List<Beat.Outcome>> heartbeat(Partition partition, List<Beat> beats) {
    List<Object> arguments = new ArrayList<>(8 * beats.size());
    for (Beat beat : beats) {
      add(
          arguments,
          beat.agentId(),
          beat.token(),
          beat.status().getNumber(),
          beat.task() == null ? 0 : 1,
          beat.task() == null ? "" : beat.task(),
          beat.metrics() == null ? 0 : 1,
          beat.metrics() == null ? "" : beat.metrics().toByteArray(),
          beat.acknowledged());
    }
    return scripts
        .run(HEARTBEAT, partition, arguments)
        .thenApply(
            reply -> {
              List<Beat.Outcome> outcomes = new ArrayList<>(beats.size());
              for (int i = 1; i < reply.size(); i++) {
                Reply row = reply.nested(i);
                outcomes.add(
                    new Beat.Outcome(
                        (int) row.number(0), row.number(1), row.number(2), row.number(3)));
              }
              return outcomes;
            });
  }

  /**
   * What agents have to be.
   *
   * @param any index keys of which one has to match; none for no condition
   * @param all index keys that have to match all
   */
  record Conditions(List<String> any, List<String> all) {

    private void addTo(List<Object> arguments) {
      arguments.add(any.size());
      arguments.addAll(any);
      arguments.addAll(all);
    }
  }

  /** In which order agents are found. */
  enum Order {
    AGENT_ID,
    CREATE_TIME;

    /** The agent of an entry of the index that gives the order. */
    String agentId(String entry) {
      return this == AGENT_ID ? entry : entry.substring(TIME_DIGITS);
    }
  }

  /**
   * Some agents in order, by their entries in the index that gives the order.
   *
   * @param place up to where it was looked; empty means to the end
   */
  record Found(List<String> entries, String place) {}

  /** Finds agents of a partition that match, from behind an entry on. */
  CompletionStage<Found> find(
      Partition partition,
      Order order,
      boolean descending,
      Conditions conditions,
      int most,
      String after) {
    List<Object> arguments = new ArrayList<>();
    add(arguments, order.name().toLowerCase(Locale.ROOT), descending ? 1 : 0, most, after);
    conditions.addTo(arguments);
    return scripts
        .run(LIST, partition, arguments)
        .thenApply(
            reply -> {
              List<String> entries = new ArrayList<>();
              for (int i = 2; i < reply.size(); i++) {
                entries.add(reply.text(i));
              }
              return new Found(entries, reply.text(1));
            });
  }

  /**
   * Reads agents that still match, in the given order; empty where one does not.
   *
   * @param bytes ends the list with the agent that passes them, encoded
   */
  CompletionStage<List<Optional<Agent>>> read(
      Partition partition, Conditions conditions, List<String> agentIds, int bytes) {
    List<Object> arguments = new ArrayList<>();
    add(arguments, bytes, agentIds.size());
    arguments.addAll(agentIds);
    conditions.addTo(arguments);
    return scripts
        .run(READ, partition, arguments)
        .thenApply(
            reply -> {
              List<Optional<Agent>> agents = new ArrayList<>();
              for (int i = 1; i < reply.size(); i++) {
                agents.add(
                    reply.bytes(i).isEmpty() ? Optional.empty() : Optional.of(agent(reply, i)));
              }
              return agents;
            });
  }

  /**
   * How many agents of a partition have which status.
   *
   * @param byStatus from status 1 to 8
   * @param byType the same by type
   * @param leftOut whether there are more types
   */
  record Fleet(long busy, long[] byStatus, Map<String, long[]> byType, boolean leftOut) {}

  /** Counts the agents of a partition. */
  CompletionStage<Fleet> fleet(Partition partition) {
    return scripts
        .run(FLEET, partition, List.of())
        .thenApply(
            reply -> {
              Map<String, long[]> byType = new LinkedHashMap<>();
              for (int i = 4; i < reply.size(); i++) {
                Reply row = reply.nested(i);
                byType.put(row.text(0), counts(row, 1));
              }
              return new Fleet(
                  reply.number(1), counts(reply.nested(2), 0), byType, reply.number(3) == 1);
            });
  }

  private static long[] counts(Reply row, int from) {
    long[] counts = new long[STATUSES];
    for (int i = 0; i < STATUSES; i++) {
      counts[i] = row.number(from + i);
    }
    return counts;
  }

  /**
   * Marks the silent LOST and forgets the long gone. Any number of servers may do so.
   *
   * @param ifSome runs when there were any
   */
  CompletionStage<Swept> sweep(Partition partition, java.time.Duration retention, Runnable ifSome) {
    return scripts
        .run(SWEEP, partition, List.of(retention.toNanos() / 1000))
        .thenApply(
            reply -> {
              if (reply.number(1) > 0) {
                ifSome.run();
              }
              return new Swept(reply.number(1) >= MOST_SWEPT, reply.number(2));
            });
  }

  /** Sessions that are over, and when there may be more of them; negative when not known. */
  record Endings(List<SessionEnd> sessions, long dueInMicros) {}

  /** Takes sessions that are over for the given time, at most {@value #MOST_SWEPT}. */
  CompletionStage<Endings> endings(Partition partition, java.time.Duration claim) {
    return scripts
        .run(ENDINGS, partition, List.of(claim.toNanos() / 1000))
        .thenApply(
            reply -> {
              List<SessionEnd> sessions = new ArrayList<>();
              for (int i = 2; i < reply.size(); i++) {
                String[] parts = reply.text(i).split("\n", 4);
                sessions.add(
                    new SessionEnd(
                        partition.namespace(),
                        parts[3],
                        Long.parseLong(parts[0]),
                        SessionEnd.Reason.valueOf(parts[2].toUpperCase(Locale.ROOT)),
                        Long.parseLong(parts[1])));
              }
              return new Endings(sessions, reply.number(1));
            });
  }

  /** Forgets sessions that are over, after all that they held was given back. */
  CompletionStage<?> settle(Partition partition, List<SessionEnd> sessions) {
    if (sessions.isEmpty()) {
      return CompletableFuture.completedFuture(null);
    }
    List<Object> entries = new ArrayList<>();
    for (SessionEnd end : sessions) {
      entries.add(
          String.join(
              "\n",
              Long.toString(end.token()),
              Long.toString(end.endedMicros()),
              end.reason().name().toLowerCase(Locale.ROOT),
              end.agentId()));
    }
    return scripts.run(SETTLE, partition, entries);
  }
}
