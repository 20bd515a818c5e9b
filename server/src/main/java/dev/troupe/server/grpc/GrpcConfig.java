package dev.troupe.server.grpc;

import dev.troupe.server.config.DataSize;
import dev.troupe.server.config.DurationBounds;
import dev.troupe.server.config.Setting;
import java.time.Duration;

/**
 * The door.
 *
 * @param host address to listen on; loopback unless you say otherwise
 * @param port to listen on; 0 takes a free one
 * @param maxMessage largest request
 * @param maxInFlight most unary calls under way at a time
 * @param targetLatency average time of unary calls beyond which fewer are let in
 * @param keepaliveFloor most frequent keepalive that clients may send
 */
public record GrpcConfig(
    @Setting(
            name = "grpc.host",
            help = "address to listen on; 0.0.0.0 lets other machines in",
            fallback = "127.0.0.1")
        String host,
    @Setting(name = "grpc.port", help = "port to listen on; 0 takes a free one", fallback = "7070")
        int port,
    @Setting(name = "grpc.max-message", help = "largest request", fallback = "8MiB")
        DataSize maxMessage,
    @Setting(
            name = "grpc.max-in-flight",
            help = "most unary calls under way at a time, while they are fast",
            fallback = "10000")
        int maxInFlight,
    @Setting(
            name = "grpc.target-latency",
            help = "average time of unary calls beyond which fewer are let in at a time, 1ms to 1h",
            fallback = "50ms")
        Duration targetLatency,
    @Setting(
            name = "grpc.keepalive-floor",
            help = "most frequent keepalive that clients may send, up to 1h",
            fallback = "10s")
        Duration keepaliveFloor) {

  /** Checks the bounds. */
  public GrpcConfig {
    if (port < 0 || port > 65_535) {
      throw new IllegalArgumentException("grpc.port: " + port + " (expected: 0 to 65535)");
    }
    if (maxInFlight < 1) {
      throw new IllegalArgumentException(
          "grpc.max-in-flight: " + maxInFlight + " (expected: 1 or more)");
    }
    DurationBounds.between(
        "grpc.target-latency", targetLatency, Duration.ofMillis(1), Duration.ofHours(1));
    DurationBounds.between(
        "grpc.keepalive-floor", keepaliveFloor, Duration.ZERO, Duration.ofHours(1));
  }
}
