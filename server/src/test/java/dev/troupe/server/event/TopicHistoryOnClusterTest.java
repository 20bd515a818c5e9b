package dev.troupe.server.event;

import dev.troupe.server.redis.TestRedis;

/** What topics keep longer than the log, on a Redis Cluster of six processes. */
final class TopicHistoryOnClusterTest extends TopicHistoryContract {

  @Override
  TestRedis redis() throws Exception {
    return TestRedis.cluster();
  }
}
