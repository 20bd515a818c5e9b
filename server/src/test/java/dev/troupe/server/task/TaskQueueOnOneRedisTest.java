package dev.troupe.server.task;

import dev.troupe.server.crash.TroupeOnRedis;

/** The unary calls on one Redis. */
final class TaskQueueOnOneRedisTest extends TaskQueueContract {

  TaskQueueOnOneRedisTest() {
    super(TroupeOnRedis.single());
  }
}
