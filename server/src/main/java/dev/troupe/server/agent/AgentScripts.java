package dev.troupe.server.agent;

import com.google.inject.Inject;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.redis.Fences;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.Reply;
import dev.troupe.server.redis.Script;
import dev.troupe.server.redis.ScriptRunner;
import dev.troupe.v1.Agent;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.Fence;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;

/** Runs the scripts of the agents' stores and reads what they reply. */
final class AgentScripts {

  private static final Duration SOON = Duration.ofMillis(100);

  private final ScriptRunner scripts;

  @Inject
  AgentScripts(ScriptRunner scripts) {
    this.scripts = scripts;
  }

  /**
   * The reply, when it is OK; else a {@link TroupeException}.
   *
   * @param arguments the first one is the agent, in all scripts that refuse anything but ports
   */
  CompletionStage<Reply> run(Script script, Partition partition, List<Object> arguments) {
    return scripts
        .run(script, partition, arguments.toArray())
        .thenApply(
            elements -> {
              Reply reply = new Reply(elements);
              if (!reply.ok()) {
                throw refusal(reply)
                    .about(
                        "namespace",
                        partition.namespace(),
                        "agent_id",
                        arguments.isEmpty() || reply.code().equals("PORTS")
                            ? ""
                            : String.valueOf(arguments.get(0)));
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
      case "STALE_FENCE" -> TroupeException.staleFence(reply.number(1));
      case "REUSED" -> TroupeException.requestIdReused();
      case "LIMIT" ->
          TroupeException.of(
              ErrorReason.ERROR_REASON_LIMIT_EXCEEDED,
              "too many for one session",
              Map.of("limit", reply.text(1)));
      case "PORTS" ->
          TroupeException.of(
              ErrorReason.ERROR_REASON_LIMIT_EXCEEDED, "not as many ports are free on the host");
      case "LATE" ->
          TroupeException.retryable(
              ErrorReason.ERROR_REASON_STORE_UNAVAILABLE,
              "the ports were booked too long ago; nothing was changed",
              SOON,
              null);
      default -> throw new IllegalStateException("unknown reply " + reply.code());
    };
  }

  /** An agent at a position of a reply. */
  static Agent agent(Reply reply, int index) {
    try {
      return Agent.parseFrom(reply.bytes(index));
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("a stored agent cannot be read", e);
    }
  }

  /** The arguments that every write begins with. */
  static List<Object> guarded(
      Partition partition, String agentId, Fence fence, String requestId, String digest) {
    List<Object> arguments = new ArrayList<>();
    add(arguments, agentId, Fences.name(partition, fence), fence.getToken(), requestId, digest);
    return arguments;
  }

  static void add(List<Object> arguments, Object... more) {
    arguments.addAll(List.of(more));
  }
}
