package dev.troupe.server.redis;

import dev.troupe.server.config.DurationBounds;
import dev.troupe.server.config.Setting;
import java.nio.file.Path;
import java.time.Duration;

/**
 * Which Redis, and how.
 *
 * @param url "embedded", or where yours is
 * @param tlsCa PEM file of the authorities that vouch for a Redis over TLS; empty means the JDK's
 * @param connections shared by all commands
 * @param timeout after which a command's outcome is unknown
 * @param dataDir of the embedded one
 * @param fsync of the embedded one
 * @param binary of the embedded one; empty finds it
 * @param partitions of a namespace that is used for the first time
 */
public record RedisConfig(
    @Setting(
            name = "redis.url",
            help =
                "embedded, redis://, rediss://, redis-sentinel://host,host/master or"
                    + " redis-cluster://host,host; user:password@ before the host",
            fallback = "embedded",
            secret = true)
        String url,
    @Setting(
            name = "redis.tls-ca",
            help =
                "PEM file of the authorities that vouch for a rediss:// server; empty: the JDK's",
            fallback = "")
        String tlsCa,
    @Setting(
            name = "redis.connections",
            help = "connections shared by all commands",
            fallback = "4")
        int connections,
    @Setting(
            name = "redis.timeout",
            help = "after which a command's outcome is unknown, 100ms to 1m",
            fallback = "3s")
        Duration timeout,
    @Setting(
            name = "redis.data-dir",
            help = "where the embedded Redis keeps its data",
            fallback = "data")
        Path dataDir,
    @Setting(
            name = "redis.fsync",
            help =
                "when the embedded Redis writes through to the disk: everysec may lose the last"
                    + " second or two in a crash, always loses nothing that was acknowledged",
            fallback = "everysec")
        Fsync fsync,
    @Setting(name = "redis.binary", help = "redis-server to embed; empty finds one", fallback = "")
        String binary,
    @Setting(
            name = "redis.partitions",
            help = "partitions of a new namespace; 16 or more before a Cluster",
            fallback = "1")
        int partitions) {

  /** When the embedded Redis writes through to the disk. */
  public enum Fsync {
    /** Once a second. */
    EVERYSEC,
    /** Before each answer; one write serves all commands that wait for it. */
    ALWAYS
  }

  /** Checks the bounds. */
  public RedisConfig {
    if (!url.equals("embedded")) {
      RedisAddress.parse(url);
    }
    if (connections < 1 || connections > 64) {
      throw new IllegalArgumentException(
          "redis.connections: " + connections + " (expected: 1 to 64)");
    }
    DurationBounds.between("redis.timeout", timeout, Duration.ofMillis(100), Duration.ofMinutes(1));
    if (partitions < 1 || partitions > 1024) {
      throw new IllegalArgumentException(
          "redis.partitions: " + partitions + " (expected: 1 to 1024)");
    }
  }

  /** Whether Redis is a child of this process. */
  public boolean embedded() {
    return url.equals("embedded");
  }
}
