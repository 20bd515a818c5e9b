package dev.troupe.server.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.server.config.Config;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.EventExecutor;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

final class RedisConnectionsTest {

  /** Redisson waits for the event loops when it closes, and these may want a command just then. */
  @Test
  void closingDoesNotWaitForEventLoopsThatWaitForIt() throws Exception {
    EventLoopGroup eventLoops =
        new MultiThreadIoEventLoopGroup(
            2, Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());
    AtomicBoolean asking = new AtomicBoolean(true);
    try (TestRedis redis = TestRedis.cluster()) {
      RedisConnections connections =
          new RedisConnections(Config.defaults(RedisConfig.class), eventLoops);
      connections.connect(redis.url());
      for (EventExecutor eventLoop : eventLoops) {
        ask(eventLoop, connections, asking);
      }
      CompletableFuture<Void> closed = CompletableFuture.runAsync(connections::close);
      assertThat(closed.orTimeout(20, TimeUnit.SECONDS)).succeedsWithin(20, TimeUnit.SECONDS);
    } finally {
      asking.set(false);
      eventLoops.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }
  }

  private static void ask(
      EventExecutor eventLoop, RedisConnections connections, AtomicBoolean asking) {
    if (asking.get()) {
      try {
        connections.commands();
      } catch (IllegalStateException closed) {
        // What a caller gets to hear after the close.
      }
      eventLoop.execute(() -> ask(eventLoop, connections, asking));
    }
  }
}
