package dev.troupe.server.redis;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.redisson.config.Config;

/**
 * Where a Redis is.
 *
 * @param kind how many processes, and how they stand together
 * @param nodes {@code redis://host:port} or {@code rediss://host:port}
 * @param master the Sentinel's name of it; empty otherwise
 */
record RedisAddress(
    Kind kind,
    List<String> nodes,
    String master,
    int database,
    @Nullable String user,
    @Nullable String password) {

  enum Kind {
    SINGLE,
    SENTINEL,
    CLUSTER
  }

  /**
   * Reads a URL as the setting {@code redis.url} describes it.
   *
   * @throws IllegalArgumentException when it is malformed; the message has no password
   */
  static RedisAddress parse(String url) {
    int colon = url.indexOf("://");
    if (colon < 0) {
      throw unreadable(url);
    }
    String scheme = url.substring(0, colon);
    Kind kind =
        switch (scheme.replaceFirst("^rediss", "redis")) {
          case "redis" -> Kind.SINGLE;
          case "redis-sentinel" -> Kind.SENTINEL;
          case "redis-cluster" -> Kind.CLUSTER;
          default -> throw unreadable(url);
        };
    String rest = url.substring(colon + 3);
    int at = rest.lastIndexOf('@');
    String[] login = at < 0 ? new String[] {"", ""} : rest.substring(0, at).split(":", 2);
    rest = rest.substring(at + 1);
    int slash = rest.indexOf('/');
    String path = slash < 0 ? "" : rest.substring(slash + 1);
    String hosts = slash < 0 ? rest : rest.substring(0, slash);
    String protocol = scheme.startsWith("rediss") ? "rediss://" : "redis://";
    List<String> nodes =
        Arrays.stream(hosts.split(",")).map(host -> node(url, protocol, host.strip())).toList();
    if (kind == Kind.SINGLE && nodes.size() != 1 || kind == Kind.SENTINEL && path.isEmpty()) {
      throw unreadable(url);
    }
    return new RedisAddress(
        kind,
        nodes,
        kind == Kind.SENTINEL ? path : "",
        kind == Kind.SINGLE && !path.isEmpty() ? database(url, path) : 0,
        login[0].isEmpty() ? null : login[0],
        login.length < 2 || login[1].isEmpty() ? null : login[1]);
  }

  private static int database(String url, String path) {
    if (!path.matches("\\d{1,5}")) {
      throw unreadable(url);
    }
    return Integer.parseInt(path);
  }

  private static String node(String url, String protocol, String host) {
    try {
      URI uri = new URI(protocol + host);
      if (uri.getHost() != null && uri.getPort() <= 65535) {
        return protocol + uri.getHost() + ":" + (uri.getPort() < 0 ? 6379 : uri.getPort());
      }
    } catch (URISyntaxException notAnAddress) {
      // It is told with all of the URL.
    }
    throw unreadable(url);
  }

  private static IllegalArgumentException unreadable(String url) {
    return new IllegalArgumentException(
        "redis.url: "
            + url.replaceFirst("(?s)^(.*?//)?.*@", "$1***@").replaceAll("\\p{Cntrl}", "?")
            + " (expected: embedded, redis://host:port, rediss://…, redis-sentinel://host,host/name"
            + " or redis-cluster://host,host)");
  }

  void login(Config config) {
    if (user != null) {
      config.setUsername(user);
    }
    if (password != null) {
      config.setPassword(password);
    }
  }
}
