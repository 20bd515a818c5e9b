package dev.troupe.server.redis;

import java.util.List;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.utility.DockerImageName;

/**
 * A Redis in a container, where there is no redis-server for the platform. This has been compiled
 * and not been run yet: no machine with a Docker engine was at hand.
 */
final class ContainerRedis {

  private static final int PORT = 6379;

  private ContainerRedis() {}

  static boolean isPossible() {
    return DockerClientFactory.instance().isDockerAvailable();
  }

  static TestRedis start() {
    GenericContainer<?> container =
        new GenericContainer<>(DockerImageName.parse("redis:7-alpine")).withExposedPorts(PORT);
    container.start();
    int port = container.getMappedPort(PORT);
    return new ConnectedRedis("redis://127.0.0.1:" + port, List.of(port), container);
  }
}
