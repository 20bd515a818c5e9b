package dev.troupe.server.event;

import dev.troupe.server.redis.TestRedis;

/** Topics and their history on a Redis Cluster of six processes. */
final class TopicsOnClusterTest extends TopicContract {

  @Override
  TestRedis redis() throws Exception {
    return TestRedis.cluster();
  }
}
