package dev.troupe.server.event;

import dev.troupe.server.redis.TestRedis;

/** Stores of events and topics on one Redis. */
final class TopicStoreOnOneRedisTest extends TopicStoreContract {

  @Override
  TestRedis redis() throws Exception {
    return TestRedis.single();
  }
}
