package dev.troupe.server.event;

import dev.troupe.server.redis.TestRedis;

/** Subscriptions on one Redis. */
final class SubscribeOnOneRedisTest extends SubscribeContract {

  @Override
  TestRedis redis() throws Exception {
    return TestRedis.single();
  }
}
