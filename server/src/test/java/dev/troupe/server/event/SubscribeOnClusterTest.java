package dev.troupe.server.event;

import dev.troupe.server.redis.TestRedis;

/** Subscriptions on a Redis Cluster of six processes. */
final class SubscribeOnClusterTest extends SubscribeContract {

  @Override
  TestRedis redis() throws Exception {
    return TestRedis.cluster();
  }
}
