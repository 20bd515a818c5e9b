package dev.troupe.server.event;

import dev.troupe.server.redis.TestRedis;

/** What topics have lost, on one Redis. */
final class TopicLossOnOneRedisTest extends TopicLossContract {

  @Override
  TestRedis redis() throws Exception {
    return TestRedis.single();
  }
}
