package dev.troupe.server.task;

import dev.troupe.server.crash.TroupeOnRedis;

/** Events of completions on one Redis. */
final class OutboxOnOneRedisTest extends OutboxContract {

  OutboxOnOneRedisTest() {
    super(TroupeOnRedis.single());
  }
}
