package dev.troupe.server.redis;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.handler.flush.FlushConsolidationHandler;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.redisson.Redisson;
import org.redisson.api.RedissonClient;
import org.redisson.client.NettyHook;
import org.redisson.client.codec.ByteArrayCodec;
import org.redisson.config.BaseMasterSlaveServersConfig;
import org.redisson.config.Config;
import org.redisson.config.ReadMode;
import org.redisson.config.TransportMode;

/**
 * The connections to Redis, on the event loops that gRPC uses too.
 *
 * <p>Few connections with many commands in flight, and flushes consolidated, cost a third of the
 * CPU of one connection per command. No command is ever repeated by the driver: a script whose
 * answer was late would run twice.
 */
public final class RedisConnections implements RedisClients, AutoCloseable {

  /** Each tailed partition holds a connection; beyond this, reads would queue behind waits. */
  private static final int BLOCKING_CONNECTIONS = 256;

  private static final Duration SHUTDOWN_GRACE = Duration.ofMillis(200);

  private final RedisConfig config;
  private final EventLoopGroup eventLoops;

  /** Read without the lock: event loops must not wait for a thread that waits for them. */
  private volatile @Nullable RedissonClient commands;

  private volatile @Nullable RedissonClient blocking;

  public RedisConnections(RedisConfig config, EventLoopGroup eventLoops) {
    this.config = config;
    this.eventLoops = eventLoops;
  }

  /**
   * Connects, and checks that it is a Redis that can be worked with.
   *
   * @param url where it is, as in {@code redis.url}, but not "embedded"
   * @throws RedisStartupException with a message for people
   */
  public synchronized void connect(String url) {
    RedisAddress address = RedisAddress.parse(url);
    try {
      commands = Redisson.create(clientConfig(address, config.connections(), false));
      blocking = Redisson.create(clientConfig(address, BLOCKING_CONNECTIONS, true));
      RedisRequirements.check(commands());
    } catch (RedisStartupException e) {
      close();
      throw e;
    } catch (RuntimeException e) {
      close();
      throw new RedisStartupException(
          "cannot connect to Redis at "
              + String.join(",", address.nodes())
              + ": "
              + why(e)
              + "; start it, or name another with redis.url",
          e);
    }
  }

  /**
   * What went wrong in the end, in a line, without what the driver's own users could do about it.
   */
  private static String why(Throwable failure) {
    Throwable cause = failure;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    return String.valueOf(cause.getMessage())
        .lines()
        .findFirst()
        .orElse("no reason given")
        .replaceFirst("^([a-zA-Z]+\\.)+[A-Za-z$]+: ", "")
        .replaceFirst(" Set checkSentinelsList.*", "")
        .strip();
  }

  private Config clientConfig(RedisAddress address, int pool, boolean waits) {
    Config client = new Config();
    client.setCodec(ByteArrayCodec.INSTANCE);
    client.setEventLoopGroup(eventLoops);
    client.setTransportMode(Epoll.isAvailable() ? TransportMode.EPOLL : TransportMode.NIO);
    client.setThreads(2);
    client.setLockWatchdogTimeout(RedissonLeaders.LEASE_MILLIS);
    // No argument is a Redisson object, so none need be looked at whether it is.
    client.setReferenceEnabled(false);
    client.setTcpNoDelay(true);
    client.setTcpKeepAlive(true);
    client.setNettyHook(new ConsolidateFlushes());
    address.login(client);
    if (!config.tlsCa().isEmpty()) {
      client.setSslTrustManagerFactory(TlsTrust.inAuthorities(Path.of(config.tlsCa())));
    }
    int timeout = (int) config.timeout().toMillis();
    int idle = waits ? 1 : pool;
    switch (address.kind()) {
      case SINGLE ->
          client
              .useSingleServer()
              .setAddress(address.nodes().get(0))
              .setDatabase(address.database())
              .setConnectionPoolSize(pool)
              .setConnectionMinimumIdleSize(idle)
              .setSubscriptionConnectionMinimumIdleSize(0)
              .setSubscriptionConnectionPoolSize(4)
              .setSubscriptionsPerConnection(1000)
              .setDnsMonitoringInterval(-1)
              .setRetryAttempts(0)
              .setTimeout(timeout);
      case SENTINEL -> {
        var servers = client.useSentinelServers().setMasterName(address.master());
        address.nodes().forEach(servers::addSentinelAddress);
        servers.setDatabase(address.database());
        replicated(servers, pool, idle, timeout);
      }
      case CLUSTER -> {
        var servers = client.useClusterServers();
        address.nodes().forEach(servers::addNodeAddress);
        servers.setScanInterval(1000);
        replicated(servers, pool, idle, timeout);
      }
    }
    return client;
  }

  private static void replicated(
      BaseMasterSlaveServersConfig<?> servers, int pool, int idle, int timeout) {
    servers.setReadMode(ReadMode.MASTER);
    servers.setMasterConnectionPoolSize(pool);
    servers.setMasterConnectionMinimumIdleSize(idle);
    servers.setSlaveConnectionMinimumIdleSize(1);
    servers.setSlaveConnectionPoolSize(2);
    servers.setSubscriptionConnectionMinimumIdleSize(0);
    servers.setSubscriptionConnectionPoolSize(4);
    servers.setSubscriptionsPerConnection(1000);
    servers.setDnsMonitoringInterval(-1);
    servers.setRetryAttempts(0);
    servers.setTimeout(timeout);
  }

  @Override
  public RedissonClient commands() {
    return connected(commands);
  }

  @Override
  public RedissonClient blocking() {
    return connected(blocking);
  }

  private static RedissonClient connected(@Nullable RedissonClient client) {
    if (client == null) {
      throw new NotConnectedException();
    }
    return client;
  }

  /** Ends all connections; what is under way gets no answer. */
  @Override
  public synchronized void close() {
    RedissonClient first = commands;
    RedissonClient second = blocking;
    commands = null;
    blocking = null;
    shutDown(first);
    shutDown(second);
  }

  private static void shutDown(@Nullable RedissonClient client) {
    if (client != null) {
      client.shutdown(0, SHUTDOWN_GRACE.toMillis(), TimeUnit.MILLISECONDS);
    }
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
