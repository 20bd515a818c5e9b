package dev.troupe.server.crash;

import dev.troupe.server.redis.TestRedis;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/** A server process before the Redis that a suite runs on. */
public final class TroupeOnRedis implements AutoCloseable {

  private final Callable<TestRedis> opening;
  private final int partitions;
  private @Nullable TestRedis redis;
  private @Nullable TroupeProcess server;

  private TroupeOnRedis(Callable<TestRedis> opening, int partitions) {
    this.opening = opening;
    this.partitions = partitions;
  }

  /** Before one Redis, with one partition. */
  public static TroupeOnRedis single() {
    return new TroupeOnRedis(TestRedis::single, 1);
  }

  /** Before a Cluster of six processes, with 16 partitions. */
  public static TroupeOnRedis cluster() {
    return new TroupeOnRedis(TestRedis::cluster, 16);
  }

  public TroupeProcess start() throws Exception {
    redis = opening.call();
    server = new TroupeProcess("--redis.url=" + redis.url(), "--redis.partitions=" + partitions);
    return server;
  }

  @Override
  public void close() throws Exception {
    if (server != null) {
      server.close();
    }
    if (redis != null) {
      redis.close();
    }
  }
}
