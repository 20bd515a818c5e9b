package dev.troupe.server.agent;

import com.google.inject.Inject;
import com.google.protobuf.Duration;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.Durations;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.redis.Namespaces;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.PartitionSweep.Swept;
import dev.troupe.server.redis.Reply;
import dev.troupe.server.redis.Script;
import dev.troupe.server.redis.ScriptRunner;
import dev.troupe.v1.Agent;
import dev.troupe.v1.AgentStatus;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.Fence;
import dev.troupe.v1.RegisterAgentRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

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

  /** Most agents of each kind that one sweep moves; one that moves as many has to be followed. */
  static final int MOST_SWEPT = 64;

  private static final Script REGISTER = Script.load("agent/register");
  private static final Script HEARTBEAT = Script.load("agent/heartbeat");
  private static final Script UPDATE = Script.load("agent/update");
  private static final Script DEREGISTER = Script.load("agent/deregister");
  private static final Script GET = Script.load("agent/get");
  private static final Script LIST = Script.load("agent/list");
  private static final Script SWEEP = Script.load("agent/sweep");
  private static final Script ENDINGS = Script.load("agent/endings");
  private static final Script SETTLE = Script.load("agent/settle");
  private static final Duration LEASE = Durations.fromSeconds(10);

  private final ScriptRunner scripts;
  private final Namespaces namespaces;

  @Inject
  AgentStore(ScriptRunner scripts, Namespaces namespaces) {
    this.scripts = scripts;
    this.namespaces = namespaces;
  }

  /** An agent after a change, and whether its registration ended an earlier session. */
  public record Registered(Agent agent, boolean replaced) {}

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

  /** Opens a session under a token higher than any before it. */
  public CompletionStage<Registered> register(
      Partition partition, RegisterAgentRequest request, String digest) {
    Agent agent = described(request);
    AgentStatus status =
        request.getStatus() == AgentStatus.AGENT_STATUS_UNSPECIFIED
            ? AgentStatus.AGENT_STATUS_STARTING
            : request.getStatus();
    List<Object> arguments = guarded(agent.getAgentId(), request.getFence());
    add(arguments, request.getRequestId(), digest, agent.toByteArray(), status.getNumber());
    add(
        arguments,
        Durations.toMicros(request.hasLeaseDuration() ? request.getLeaseDuration() : LEASE),
        request.getMetrics().toByteArray());
    arguments.addAll(indexKeys(agent));
    return run(REGISTER, partition, arguments)
        .thenApply(reply -> new Registered(agent(reply, 2), reply.number(1) == 1));
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
    return run(GET, partition, List.of(agentId)).thenApply(reply -> agent(reply, 2));
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
    List<Object> arguments = guarded(agent.getAgentId(), fence);
    add(arguments, requestId, digest, version, token);
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
            .build()
            .toByteArray(),
        agent.getStatusValue(),
        agent.getCurrentTask());
    arguments.addAll(indexKeys(agent));
    return run(UPDATE, partition, arguments).thenApply(reply -> agent(reply, 2));
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
    List<Object> arguments = guarded(agentId, fence);
    add(arguments, requestId, digest, token, reason, retention.toNanos() / 1000);
    return run(DEREGISTER, partition, arguments).thenApply(reply -> agent(reply, 2));
  }

  /** Takes up to {@value #MOST_HEARTBEATS} heartbeats; the outcomes are in their order. */
  CompletionStage<List<Beat.Outcome>> heartbeat(Partition partition, List<Beat> beats) {
    List<Object> arguments = new ArrayList<>(7 * beats.size());
    for (Beat beat : beats) {
      add(
          arguments,
          beat.agentId(),
          beat.token(),
          beat.status().getNumber(),
          beat.task() == null ? 0 : 1,
          beat.task() == null ? "" : beat.task(),
          beat.metrics() == null ? 0 : 1,
          beat.metrics() == null ? "" : beat.metrics().toByteArray());
    }
    return run(HEARTBEAT, partition, arguments)
        .thenApply(
            reply -> {
              List<Beat.Outcome> outcomes = new ArrayList<>(beats.size());
              for (int i = 1; i < reply.size(); i++) {
                Reply row = reply.nested(i);
                outcomes.add(new Beat.Outcome((int) row.number(0), row.number(1), row.number(2)));
              }
              return outcomes;
            });
  }

  /** A part of a listing; an empty place means the end. */
  public record Page(List<Agent> agents, String place) {}

  /**
   * Lists agents that stand in all of the given indexes, from behind an id on.
   *
   * @param bytes ends the page with the agent that passes them, encoded
   */
  public CompletionStage<Page> list(
      Partition partition, List<String> indexKeys, int most, int bytes, String after) {
    List<Object> arguments = new ArrayList<>();
    add(arguments, most, bytes, after);
    arguments.addAll(indexKeys);
    return run(LIST, partition, arguments)
        .thenApply(
            reply -> {
              List<Agent> agents = new ArrayList<>();
              for (int i = 2; i < reply.size(); i++) {
                agents.add(agent(reply, i));
              }
              return new Page(agents, reply.text(1));
            });
  }

  /**
   * Marks the silent LOST and forgets the long gone. Any number of servers may do so.
   *
   * @param ifSome runs when there were any
   */
  CompletionStage<Swept> sweep(Partition partition, java.time.Duration retention, Runnable ifSome) {
    return run(SWEEP, partition, List.of(retention.toNanos() / 1000))
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
    return run(ENDINGS, partition, List.of(claim.toNanos() / 1000))
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
    return run(SETTLE, partition, entries);
  }

  private CompletionStage<Reply> run(Script script, Partition partition, List<Object> arguments) {
    return scripts
        .run(script, partition, arguments.toArray())
        .thenApply(
            elements -> {
              Reply reply = new Reply(elements);
              if (!reply.ok()) {
                throw refusal(reply);
              }
              return reply;
            });
  }

  private static TroupeException refusal(Reply reply) {
    return switch (reply.code()) {
      case "NOT_FOUND" ->
          TroupeException.of(ErrorReason.ERROR_REASON_AGENT_NOT_FOUND, "no such agent");
      case "VERSION" ->
          TroupeException.of(
              ErrorReason.ERROR_REASON_VERSION_MISMATCH,
              "the agent changed since that version",
              Map.of("current_version", reply.text(1)));
      case "SESSION" ->
          TroupeException.of(ErrorReason.ERROR_REASON_STALE_SESSION, "the agent's session is over");
      case "STALE_FENCE" ->
          TroupeException.of(
              ErrorReason.ERROR_REASON_STALE_FENCE,
              "a higher fencing token was seen for this fence",
              Map.of("highest_token", reply.text(1)));
      case "REUSED" ->
          TroupeException.of(
              ErrorReason.ERROR_REASON_REQUEST_ID_REUSED,
              "the request_id was used by a call with other arguments");
      default -> throw new IllegalStateException("unknown reply " + reply.code());
    };
  }

  private static Agent agent(Reply reply, int index) {
    try {
      return Agent.parseFrom(reply.bytes(index));
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("a stored agent cannot be read", e);
    }
  }

  private static List<Object> guarded(String agentId, Fence fence) {
    List<Object> arguments = new ArrayList<>();
    add(arguments, agentId, fence.getName(), fence.getToken());
    return arguments;
  }

  private static void add(List<Object> arguments, Object... more) {
    arguments.addAll(List.of(more));
  }
}
