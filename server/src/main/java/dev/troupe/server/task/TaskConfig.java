package dev.troupe.server.task;

import dev.troupe.server.config.DataSize;
import dev.troupe.server.config.DurationBounds;
import dev.troupe.server.config.Setting;
import java.time.Duration;

/**
 * Settings of the task queues.
 *
 * @param maxPayload largest payload and largest result of one task
 * @param streamGrace how long a worker whose stream broke keeps its leases
 * @param ackTimeout how long a delivery may go unacknowledged before it is given back
 * @param heartbeatInterval how often workers are asked to send a heartbeat
 * @param safetyPoll how long a lost doorbell may leave work unnoticed
 * @param drainGrace how long workers get to finish when the server stops
 */
public record TaskConfig(
    @Setting(name = "tasks.max-payload", help = "largest payload or result", fallback = "256KiB")
        DataSize maxPayload,
    @Setting(
            name = "tasks.stream-grace",
            help = "how long a worker whose stream broke keeps its leases, up to 5m",
            fallback = "5s")
        Duration streamGrace,
    @Setting(
            name = "tasks.ack-timeout",
            help = "how long a delivery may go unacknowledged, 100ms to 1m",
            fallback = "5s")
        Duration ackTimeout,
    @Setting(
            name = "tasks.heartbeat-interval",
            help = "how often workers are asked for a heartbeat, 100ms to 1m",
            fallback = "5s")
        Duration heartbeatInterval,
    @Setting(
            name = "tasks.safety-poll",
            help = "how long a lost wake-up may leave work unnoticed, 50ms to 1m",
            fallback = "1s")
        Duration safetyPoll,
    @Setting(
            name = "tasks.drain-grace",
            help = "how long workers get to finish when the server stops, up to 5m",
            fallback = "5s")
        Duration drainGrace) {

  /** Checks the bounds. */
  public TaskConfig {
    if (maxPayload.bytes() < 1024 || maxPayload.bytes() > (3 << 20)) {
      throw new IllegalArgumentException(
          "tasks.max-payload: " + maxPayload + " (expected: 1KiB to 3MiB)");
    }
    DurationBounds.between("tasks.stream-grace", streamGrace, Duration.ZERO, Duration.ofMinutes(5));
    DurationBounds.between(
        "tasks.ack-timeout", ackTimeout, Duration.ofMillis(100), Duration.ofMinutes(1));
    DurationBounds.between(
        "tasks.heartbeat-interval",
        heartbeatInterval,
        Duration.ofMillis(100),
        Duration.ofMinutes(1));
    DurationBounds.between(
        "tasks.safety-poll", safetyPoll, Duration.ofMillis(50), Duration.ofMinutes(1));
    DurationBounds.between("tasks.drain-grace", drainGrace, Duration.ZERO, Duration.ofMinutes(5));
  }
}
