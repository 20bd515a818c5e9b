package dev.troupe.server.event;

import dev.troupe.server.redis.TestRedis;

/** Topics on a Redis Cluster of six processes. */
final class EventStreamOnClusterTest extends EventStreamContract {

  @Override
  TestRedis redis() throws Exception {
    return TestRedis.cluster();
  }
}
