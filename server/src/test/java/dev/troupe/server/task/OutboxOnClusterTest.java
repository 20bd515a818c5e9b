package dev.troupe.server.task;

import dev.troupe.server.crash.TroupeOnRedis;

/** Events of completions on a Redis Cluster of six processes. */
final class OutboxOnClusterTest extends OutboxContract {

  OutboxOnClusterTest() {
    super(TroupeOnRedis.cluster());
  }
}
