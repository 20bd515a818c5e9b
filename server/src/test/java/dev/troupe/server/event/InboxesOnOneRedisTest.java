package dev.troupe.server.event;

import dev.troupe.server.redis.TestRedis;

/** Inboxes on one Redis. */
final class InboxesOnOneRedisTest extends InboxContract {

  @Override
  TestRedis redis() throws Exception {
    return TestRedis.single();
  }
}
