package dev.troupe.server.event;

import dev.troupe.server.redis.TestRedis;

/** Publishing on one Redis. */
final class PublishingOnOneRedisTest extends PublishingContract {

  @Override
  TestRedis redis() throws Exception {
    return TestRedis.single();
  }
}
