package dev.troupe.server.agent;

import java.util.concurrent.CompletionStage;

/**
 * Gives back what a session held, in one respect. Features bind theirs to the set of them.
 *
 * <p>It is told of each session that ends, by whichever server comes first, soon after the event
 * that tells of the end was logged. It may be told again, even while it is at work or on another
 * server: when the server dies on the way, or when this or another listener fails. So it must
 * neither mind a repeat nor touch what the agent was granted after the end.
 */
public interface SessionEndListener {

  /** Complete once everything is given back; a failure has it called again a little later. */
  CompletionStage<?> sessionEnded(SessionEnd end);
}
