package dev.troupe.server.event;

import dev.troupe.server.redis.TestRedis;

/** What topics keep longer than the log, on one Redis. */
final class TopicHistoryOnOneRedisTest extends TopicHistoryContract {

  @Override
  TestRedis redis() throws Exception {
    return TestRedis.single();
  }
}
