package dev.troupe.server.event;

import dev.troupe.server.redis.TestRedis;

/** Publishing on a Redis Cluster of six processes. */
final class PublishingOnClusterTest extends PublishingContract {

  @Override
  TestRedis redis() throws Exception {
    return TestRedis.cluster();
  }
}
