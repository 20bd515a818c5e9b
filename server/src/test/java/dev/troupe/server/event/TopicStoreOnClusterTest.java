package dev.troupe.server.event;

import dev.troupe.server.redis.TestRedis;

/** Stores of events and topics on a Redis Cluster of six processes. */
final class TopicStoreOnClusterTest extends TopicStoreContract {

  @Override
  TestRedis redis() throws Exception {
    return TestRedis.cluster();
  }
}
