package dev.troupe.server.task;

import dev.troupe.server.crash.TroupeOnRedis;

/** The worker's stream on one Redis. */
final class WorkStreamOnOneRedisTest extends WorkStreamContract {

  WorkStreamOnOneRedisTest() {
    super(TroupeOnRedis.single());
  }
}
