package dev.troupe.server.event;

import dev.troupe.server.redis.TestRedis;

/** Topics and their history on one Redis. */
final class TopicsOnOneRedisTest extends TopicContract {

  @Override
  TestRedis redis() throws Exception {
    return TestRedis.single();
  }
}
