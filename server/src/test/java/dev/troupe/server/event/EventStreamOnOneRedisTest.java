package dev.troupe.server.event;

import dev.troupe.server.redis.TestRedis;

/** Topics on one Redis. */
final class EventStreamOnOneRedisTest extends EventStreamContract {

  @Override
  TestRedis redis() throws Exception {
    return TestRedis.single();
  }
}
