package dev.troupe.server.agent;

import static dev.troupe.server.agent.AgentScripts.add;
import static dev.troupe.server.agent.AgentScripts.guarded;

import com.google.inject.Inject;
import com.google.protobuf.Duration;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.Durations;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.Reply;
import dev.troupe.server.redis.Script;
import dev.troupe.v1.AgentCommand;
import dev.troupe.v1.CommandAgentRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletionStage;

/**
 * The commands for agents' sessions, in Redis, until they are acknowledged by a heartbeat, expire
 * or the session is over. Thread-safe; never blocks.
 */
final class CommandStore {

  /** Most commands of a session that are not acknowledged. */
  static final int MOST = 100;

  private static final Script COMMAND = Script.load("agent/command");
  private static final Script COMMANDS = Script.load("agent/commands");
  private static final Duration LIFETIME = Durations.fromHours(1);

  private final AgentScripts scripts;

  @Inject
  CommandStore(AgentScripts scripts) {
    this.scripts = scripts;
  }

  /** Gives a session a command under the next number, and rings for it. */
  CompletionStage<AgentCommand> command(
      Partition partition, CommandAgentRequest request, String digest) {
    List<Object> arguments =
        guarded(
            partition, request.getAgentId(), request.getFence(), request.getRequestId(), digest);
    add(
        arguments,
        request.getFencingToken(),
        request.getCommand().toBuilder()
            .clearNumber()
            .clearCreateTime()
            .clearExpireTime()
            .build()
            .toByteArray(),
        Durations.toMicros(request.hasLifetime() ? request.getLifetime() : LIFETIME),
        MOST,
        request.getCommand().getCommandCase().name().toLowerCase(Locale.ROOT));
    return scripts.run(COMMAND, partition, arguments).thenApply(reply -> command(reply, 1));
  }

  /**
   * Commands of a session in their order, and the number of the last that it was given, whether it
   * is still to be sent or not.
   */
  record Commands(long last, List<AgentCommand> pending) {}

  /** The commands behind a number. */
  CompletionStage<Commands> pending(Partition partition, String agentId, long token, long after) {
    return scripts
        .run(COMMANDS, partition, List.of(agentId, token, after))
        .thenApply(
            reply -> {
              List<AgentCommand> pending = new ArrayList<>();
              for (int i = 2; i < reply.size(); i++) {
                pending.add(command(reply, i));
              }
              return new Commands(reply.number(1), pending);
            });
  }

  private static AgentCommand command(Reply reply, int index) {
    try {
      return AgentCommand.parseFrom(reply.bytes(index));
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("a stored command cannot be read", e);
    }
  }
}
