package dev.troupe.server.redis;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.troupe.server.config.Config;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.EventExecutor;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.redisson.Redisson;

final class RedisConnectionsTest {

  private static final RedisConfig CONFIG = Config.defaults(RedisConfig.class);
  private static final Script NOTHING = Script.load("test/nothing");
  private static final Partition PARTITION = Partition.of("default", 1, "any");

  /** Redisson waits for the event loops when it closes, and these may want a command just then. */
  @Test
  void closingDoesNotWaitForEventLoopsThatWaitForIt() throws Exception {
    EventLoopGroup eventLoops =
        new MultiThreadIoEventLoopGroup(
            2, Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());
    AtomicBoolean asking = new AtomicBoolean(true);
    try (TestRedis redis = TestRedis.cluster()) {
      RedisConnections connections = new RedisConnections(CONFIG, eventLoops);
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

  /**
   * Redisson serves those who wait for its connections on one another's stack; where that overflows
   * it forgets connections for good.
   */
  @Test
  void thousandsOfCommandsAreWantedWhileAllConnectionsBreakAndAfterThatAllIsWell()
      throws Exception {
    EventLoopGroup eventLoops =
        new MultiThreadIoEventLoopGroup(
            2, Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());
    try (TestRedis redis = TestRedis.single();
        RedisConnections connections = new RedisConnections(CONFIG, eventLoops)) {
      connections.connect(redis.url());
      RedissonScripts scripts = new RedissonScripts(connections);
      for (int round = 0; round < 5; round++) {
        breakConnections(redis.masters().get(0));
        Queue<CompletionStage<?>> asked = new ConcurrentLinkedQueue<>();
        CountDownLatch allAsked = new CountDownLatch(5);
        Runnable asking =
            () -> {
              for (int i = 0; i < 3000; i++) {
                asked.add(scripts.run(NOTHING, PARTITION));
              }
              allAsked.countDown();
            };
        eventLoops.forEach(eventLoop -> eventLoop.execute(asking));
        // Others too, as the duties of a server are.
        for (int i = 0; i < 3; i++) {
          new Thread(asking, "duty-" + i).start();
        }
        assertThat(allAsked.await(60, TimeUnit.SECONDS)).isTrue();
        // Some may have been on their way, but all hear of it.
        for (CompletionStage<?> one : asked) {
          assertThat(one.handle((reply, failure) -> true).toCompletableFuture())
              .succeedsWithin(60, TimeUnit.SECONDS);
        }
        await().until(() -> freeConnections(connections) == CONFIG.connections());
        assertThat(scripts.run(NOTHING, PARTITION).toCompletableFuture())
            .succeedsWithin(60, TimeUnit.SECONDS);
      }
    } finally {
      eventLoops.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"redis://", "rediss://", "redis-cluster://", "redis-sentinel://"})
  void aRedisThatIsNotThereIsToldInALine(String scheme) throws Exception {
    EventLoopGroup eventLoops =
        new MultiThreadIoEventLoopGroup(
            1, Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());
    int unused;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      unused = socket.getLocalPort();
    }
    String url = scheme + ":hunter2@127.0.0.1:" + unused + (scheme.contains("sent") ? "/m" : "");
    try {
      assertThatThrownBy(() -> new RedisConnections(CONFIG, eventLoops).connect(url))
          .isInstanceOf(RedisStartupException.class)
          .hasMessageMatching(
              "cannot connect to Redis at rediss?://127.0.0.1:"
                  + unused
                  + ": [^\\n]+; start it, or name another with redis.url")
          .hasMessageNotContaining("Exception")
          .hasMessageNotContaining("hunter2");
    } finally {
      eventLoops.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }
  }

  private static int freeConnections(RedisConnections connections) {
    return ((Redisson) connections.commands())
        .getCommandExecutor()
        .getConnectionManager()
        .getEntrySet()
        .iterator()
        .next()
        .getEntry()
        .getConnectionsHolder()
        .getFreeConnectionsCounter()
        .getCounter();
  }

  private static void breakConnections(int port) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.getOutputStream().write("CLIENT KILL TYPE normal\r\nQUIT\r\n".getBytes(UTF_8));
      assertThat(new String(socket.getInputStream().readAllBytes(), UTF_8)).startsWith(":");
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
