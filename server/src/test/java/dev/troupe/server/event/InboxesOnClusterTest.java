package dev.troupe.server.event;

import dev.troupe.server.redis.TestRedis;

/** Inboxes on a Redis Cluster of six processes. */
final class InboxesOnClusterTest extends InboxContract {

  @Override
  TestRedis redis() throws Exception {
    return TestRedis.cluster();
  }
}
