package dev.troupe.server.event;

import dev.troupe.server.redis.TestRedis;

/** What topics have lost, on a Redis Cluster of six processes. */
final class TopicLossOnClusterTest extends TopicLossContract {

  @Override
  TestRedis redis() throws Exception {
    return TestRedis.cluster();
  }
}
