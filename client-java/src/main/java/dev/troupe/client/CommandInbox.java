package dev.troupe.client;

import dev.troupe.v1.AgentCommand;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The commands of one session. The server sends those again that were not acknowledged when a new
 * stream begins; their numbers tell which have been here before. Thread-safe.
 */
final class CommandInbox {

  private static final Logger log = LoggerFactory.getLogger(CommandInbox.class);

  private final Queue<AgentCommand> waiting = new ArrayDeque<>();
  private @Nullable Consumer<AgentCommand> handler;
  private long arrived;
  private volatile long handled;

  /** Hands over what waits, and from now on what comes. */
  synchronized void handler(Consumer<AgentCommand> given) {
    handler = given;
    handOver();
  }

  /** Takes commands in; true when there are any to be acknowledged now. */
  synchronized boolean take(List<AgentCommand> commands) {
    for (AgentCommand command : commands) {
      if (command.getNumber() > arrived) {
        arrived = command.getNumber();
        waiting.add(command);
      }
    }
    handOver();
    return handled > 0;
  }

  /** Number of the last command that was handled. */
  long handled() {
    return handled;
  }

  private void handOver() {
    if (handler == null) {
      return;
    }
    for (AgentCommand command = waiting.poll(); command != null; command = waiting.poll()) {
      try {
        handler.accept(command);
      } catch (RuntimeException broken) {
        log.warn("command {} could not be handled", command.getNumber(), broken);
      }
      handled = command.getNumber();
    }
  }
}
