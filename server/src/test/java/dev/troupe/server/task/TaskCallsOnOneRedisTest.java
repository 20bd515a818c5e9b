package dev.troupe.server.task;

import dev.troupe.server.crash.TroupeOnRedis;

/** Repeated, late and wrong calls, on one Redis. */
final class TaskCallsOnOneRedisTest extends TaskCallsContract {

  TaskCallsOnOneRedisTest() {
    super(TroupeOnRedis.single());
  }
}
