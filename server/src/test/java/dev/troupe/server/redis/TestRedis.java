package dev.troupe.server.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.troupe.server.crash.RedisCluster;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * A Redis to test stores on: one process, or a Cluster of six.
 *
 * <p>The one process is, in this order, what {@value #URL_VARIABLE} names (on this machine; it will
 * be flushed), a process of the redis-server that comes along, or a container where a Docker engine
 * answers. None of them is a failure, not a skipped test.
 */
public interface TestRedis extends ScriptRunner, RedisClients, AutoCloseable {

  /** Names a Redis that tests may do with as they like, such as {@code redis://127.0.0.1:6379}. */
  String URL_VARIABLE = "TROUPE_TEST_REDIS_URL";

  /** Where it is, as {@code redis.url} wants it. */
  String url();

  /** Loopback ports of its masters. */
  List<Integer> masters();

  /** Forgets everything. */
  default void flush() {
    commands().getKeys().flushall();
  }

  /** What the masters say of their connections, a line each. */
  default String clients() throws IOException {
    StringBuilder all = new StringBuilder();
    for (int port : masters()) {
      try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
        socket.getOutputStream().write("CLIENT LIST\r\nQUIT\r\n".getBytes(UTF_8));
        all.append(new String(socket.getInputStream().readAllBytes(), UTF_8));
      }
    }
    return all.toString();
  }

  /** One Redis. */
  static TestRedis single() throws Exception {
    return single(System.getenv());
  }

  static TestRedis single(Map<String, String> environment) throws Exception {
    String given = environment.getOrDefault(URL_VARIABLE, "");
    if (!given.isEmpty()) {
      RedisAddress address = RedisAddress.parse(given);
      int port = Integer.parseInt(address.nodes().get(0).replaceFirst(".*:", ""));
      return new ConnectedRedis(given, List.of(port), () -> {});
    }
    if (OwnRedis.comesAlong()) {
      return new OwnRedis();
    }
    if (ContainerRedis.isPossible()) {
      return ContainerRedis.start();
    }
    throw new IllegalStateException(
        "no Redis to test on (expected: "
            + URL_VARIABLE
            + ", the redis-server of embedded-redis for this platform, or a Docker engine)");
  }

  /** Three masters with a replica each. */
  static TestRedis cluster() throws Exception {
    // No machine is so slow that a replica would take over in the middle of a test.
    RedisCluster cluster = new RedisCluster(Duration.ofSeconds(60));
    return new ConnectedRedis(cluster.url(), cluster.masters(), cluster);
  }
}
