package dev.troupe.server.agent;

import dev.troupe.v1.AgentMetrics;
import dev.troupe.v1.AgentStatus;
import dev.troupe.v1.HeartbeatRequest;
import org.jspecify.annotations.Nullable;

/**
 * One heartbeat.
 *
 * @param task the new current task; null leaves it as it is
 * @param metrics the new metrics; null leaves them as they are
 * @param acknowledged number of the last command that arrived; 0 when that is no news
 */
record Beat(
    String agentId,
    long token,
    AgentStatus status,
    @Nullable String task,
    @Nullable AgentMetrics metrics,
    long acknowledged) {

  static Beat of(HeartbeatRequest request) {
    return new Beat(
        request.getAgentId(),
        request.getFencingToken(),
        request.getStatus(),
        request.hasCurrentTask() ? request.getCurrentTask() : null,
        request.hasMetrics() ? request.getMetrics() : null,
        request.getAcknowledgedCommand());
  }

  /**
   * What became of it.
   *
   * @param code number of the {@code HeartbeatOutcome}
   * @param untilMicros when the lease runs out, microseconds since 1970
   * @param lastCommand number of the last command that the session was given
   */
  record Outcome(int code, long untilMicros, long leaseMicros, long lastCommand) {}
}
