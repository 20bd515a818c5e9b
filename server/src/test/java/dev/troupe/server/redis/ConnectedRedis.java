package dev.troupe.server.redis;

import dev.troupe.server.config.Config;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.nio.NioIoHandler;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.redisson.api.RedissonClient;

/** A Redis reached the way the server reaches it. */
final class ConnectedRedis implements TestRedis {

  private final String url;
  private final List<Integer> masters;
  private final AutoCloseable owner;
  private final EventLoopGroup eventLoops =
      new MultiThreadIoEventLoopGroup(
          2, Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());
  private final RedisConnections connections;
  private final RedissonScripts scripts;

  /** Connects; {@code owner} is closed with this. */
  ConnectedRedis(String url, List<Integer> masters, AutoCloseable owner) {
    this.url = url;
    this.masters = masters;
    this.owner = owner;
    connections = new RedisConnections(Config.defaults(RedisConfig.class), eventLoops);
    connections.connect(url);
    scripts = new RedissonScripts(connections);
  }

  @Override
  public String url() {
    return url;
  }

  @Override
  public List<Integer> masters() {
    return masters;
  }

  @Override
  public CompletionStage<List<Object>> run(Script script, Partition partition, Object... args) {
    return scripts.run(script, partition, args);
  }

  @Override
  public RedissonClient commands() {
    return connections.commands();
  }

  @Override
  public RedissonClient blocking() {
    return connections.blocking();
  }

  @Override
  public void close() throws Exception {
    connections.close();
    eventLoops.shutdownGracefully();
    owner.close();
  }
}
