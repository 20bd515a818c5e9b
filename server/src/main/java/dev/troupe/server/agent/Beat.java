package dev.troupe.server.agent;

import dev.troupe.v1.AgentStatus;
import org.jspecify.annotations.Nullable;

/**
 * One heartbeat.
 *
 * @param task the new current task; null leaves it as it is
 */
record Beat(String agentId, long token, AgentStatus status, @Nullable String task) {

  /**
   * What became of it.
   *
   * @param code number of the {@code HeartbeatOutcome}
   * @param untilMicros when the lease runs out, microseconds since 1970
   */
  record Outcome(int code, long untilMicros, long leaseMicros) {}
}
