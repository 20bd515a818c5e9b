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
 */
record Beat(
    String agentId,
    long token,
    AgentStatus status,
    @Nullable String task,
    @Nullable AgentMetrics metrics) {

  static Beat of(HeartbeatRequest request) {
    return new Beat(
        request.getAgentId(),
        request.getFencingToken(),
        request.getStatus(),
        request.hasCurrentTask() ? request.getCurrentTask() : null,
        request.hasMetrics() ? request.getMetrics() : null);
  }

  /**
   * What became of it.
   *
   * @param code number of the {@code HeartbeatOutcome}
   * @param untilMicros when the lease runs out, microseconds since 1970
   */
  record Outcome(int code, long untilMicros, long leaseMicros) {}
}
