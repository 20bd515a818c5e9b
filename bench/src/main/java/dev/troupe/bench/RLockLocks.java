package dev.troupe.bench;

import dev.troupe.server.redis.EmbeddedRedis;
import dev.troupe.server.redis.RedisConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.redisson.Redisson;
import org.redisson.api.RLock;
import org.redisson.api.RedissonClient;
import org.redisson.config.Config;

/**
 * Redisson's {@code RLock}: no server at all but a Redis, started as Troupe starts its own, and
 * this process does the work.
 *
 * <p>All workers share one client, which is the best case for it: a release wakes one waiter of
 * each client, and they share one subscription.
 */
final class RLockLocks implements LockPeer {

  /** Longer than any wait, so that no waiter asks again because a lease could have run out. */
  private static final long LEASE_MINUTES = 60;

  private final EmbeddedRedis redis;
  private final ProcessHandle process;
  private final Path directory;
  private final RedissonClient client;

  private RLockLocks(EmbeddedRedis redis, Path directory) {
    this.redis = redis;
    this.process = ProcessHandle.of(redis.pid()).orElseThrow();
    this.directory = directory;
    this.client = Redisson.create(config(redis.url()));
  }

  /**
   * Starts a Redis.
   *
   * @param fsync "everysec" or "always"
   */
  static RLockLocks start(String fsync) throws IOException {
    Path directory = Scratch.directory("troupe-bench-rlock");
    EmbeddedRedis redis =
        EmbeddedRedis.start(
            new RedisConfig(
                "embedded",
                "",
                4,
                Duration.ofSeconds(3),
                directory,
                RedisConfig.Fsync.valueOf(fsync.toUpperCase(Locale.ROOT)),
                "",
                1));
    return new RLockLocks(redis, directory);
  }

  private static Config config(String url) {
    int pool = Integer.getInteger("pool", 64);
    Config config = new Config();
    if (Boolean.getBoolean("hook")) {
      config.setNettyHook(
          new org.redisson.client.NettyHook() {
            @Override
            public void afterBoostrapInitialization(io.netty.bootstrap.Bootstrap b) {}

            @Override
            public void afterChannelInitialization(io.netty.channel.Channel c) {
              c.pipeline()
                  .addFirst(new io.netty.handler.flush.FlushConsolidationHandler(256, true));
            }
          });
    }
    if (System.getProperty("threads") != null) {
      config.setThreads(Integer.getInteger("threads"));
    }
    if (System.getProperty("netty") != null) {
      config.setNettyThreads(Integer.getInteger("netty"));
    }
    config.setCheckLockSyncedSlaves(!Boolean.getBoolean("nosync"));
    config
        .useSingleServer()
        .setAddress(url)
        .setConnectionPoolSize(pool)
        .setConnectionMinimumIdleSize(pool);
    return config;
  }

  @Override
  public String label() {
    return "RLock";
  }

  @Override
  public CompletionStage<Held> acquire(String name, int worker) {
    RLock lock = client.getLock(name);
    // Redisson numbers its threads from 1.
    long thread = worker + 1L;
    return lock.lockAsync(LEASE_MINUTES, TimeUnit.MINUTES, thread)
        .thenApply(granted -> () -> lock.unlockAsync(thread));
  }

  @Override
  public Duration serverCpu() {
    return Duration.ZERO;
  }

  @Override
  public Duration storeCpu() {
    return process.info().totalCpuDuration().orElse(Duration.ZERO);
  }

  @Override
  public void close() throws IOException {
    client.shutdown();
    redis.close();
    Scratch.delete(directory);
  }
}
