package dev.troupe.bench;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.handler.flush.FlushConsolidationHandler;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.redisson.Redisson;
import org.redisson.api.RLock;
import org.redisson.api.RedissonClient;
import org.redisson.client.NettyHook;
import org.redisson.config.Config;
import org.redisson.config.SingleServerConfig;

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

  /** How Redisson is set up. */
  enum Tuning {
    /** As it comes: up to 64 connections, 32 event loops. */
    DEFAULTS("RLock, default settings"),

    /**
     * As Troupe's server does it: 4 connections with many commands in flight on each, and what one
     * turn of the event loop writes is sent at once. Of all set-ups tried, with 2 to 64
     * connections, this made the most pairs, for half of the default's CPU in Redis and a third in
     * the client.
     */
    FEW_CONNECTIONS("RLock, 4 connections");

    private final String label;

    Tuning(String label) {
      this.label = label;
    }
  }

  private final Tuning tuning;
  private final RedisUnderTest redis;
  private final RedissonClient client;

  private RLockLocks(RedisUnderTest redis, Tuning tuning) {
    this.tuning = tuning;
    this.redis = redis;
    this.client = Redisson.create(config(redis.url(), tuning));
  }

  /**
   * Starts a Redis.
   *
   * @param fsync "everysec" or "always"
   */
  static RLockLocks start(String fsync, Tuning tuning) throws IOException {
    return new RLockLocks(RedisUnderTest.start(fsync), tuning);
  }

  private static Config config(String url, Tuning tuning) {
    Config config = new Config();
    SingleServerConfig server = config.useSingleServer().setAddress(url);
    if (tuning == Tuning.FEW_CONNECTIONS) {
      config.setNettyThreads(2);
      config.setNettyHook(new ConsolidateFlushes());
      server.setConnectionPoolSize(4).setConnectionMinimumIdleSize(4);
    }
    return config;
  }

  @Override
  public String label() {
    return tuning.label;
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
    return redis.cpu();
  }

  @Override
  public void close() throws IOException {
    client.shutdown();
    redis.close();
  }

  /** Gathers the flushes of one turn of the event loop into one system call. */
  private static final class ConsolidateFlushes implements NettyHook {

    @Override
    public void afterBoostrapInitialization(Bootstrap bootstrap) {}

    @Override
    public void afterChannelInitialization(Channel channel) {
      channel.pipeline().addFirst(new FlushConsolidationHandler(256, true));
    }
  }
}
