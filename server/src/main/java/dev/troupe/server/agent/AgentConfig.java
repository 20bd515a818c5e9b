package dev.troupe.server.agent;

import dev.troupe.server.config.DurationBounds;
import dev.troupe.server.config.Setting;
import java.time.Duration;

/**
 * Settings of the agent registry.
 *
 * @param retention how long a record stays readable after its session
 * @param heartbeatTick how long heartbeats are gathered before they are written together
 * @param portRange the ports of each host that agents may lease
 */
public record AgentConfig(
    @Setting(
            name = "agents.retention",
            help = "how long the record of a lost or terminated agent stays readable",
            fallback = "1h")
        Duration retention,
    @Setting(
            name = "agents.heartbeat-tick",
            help = "how long heartbeats are gathered before they are written together, 1ms to 1s",
            fallback = "50ms")
        Duration heartbeatTick,
    @Setting(
            name = "agents.port-range",
            help = "ports of each host that agents may lease; the same on every server",
            fallback = "20000-29999")
        String portRange) {

  /** Checks the bounds. */
  public AgentConfig {
    Duration second = Duration.ofSeconds(1);
    DurationBounds.between("agents.retention", retention, second, Duration.ofDays(3650));
    DurationBounds.between("agents.heartbeat-tick", heartbeatTick, Duration.ofMillis(1), second);
    PortRange.parse(portRange);
  }

  PortRange ports() {
    return PortRange.parse(portRange);
  }
}
