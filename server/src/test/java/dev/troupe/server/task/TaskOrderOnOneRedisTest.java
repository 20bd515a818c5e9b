package dev.troupe.server.task;

import dev.troupe.server.crash.TroupeOnRedis;

/** Which task goes next, on one Redis. */
final class TaskOrderOnOneRedisTest extends TaskOrderContract {

  TaskOrderOnOneRedisTest() {
    super(TroupeOnRedis.single());
  }
}
