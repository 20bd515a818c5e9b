package dev.troupe.server.agent;

/**
 * A session that is over.
 *
 * @param token its fencing token, which tells it from the agent's other sessions
 * @param endedMicros when it ended, microseconds since 1970, by the clock of Redis: what the same
 *     agent was granted after that is not this session's
 */
public record SessionEnd(
    String namespace, String agentId, long token, Reason reason, long endedMicros) {

  /** How it came to its end. */
  public enum Reason {
    /** It was silent for its lease. */
    LOST,
    /** It said goodbye. */
    DEREGISTERED,
    /** The same agent id was registered again. */
    REPLACED
  }
}
