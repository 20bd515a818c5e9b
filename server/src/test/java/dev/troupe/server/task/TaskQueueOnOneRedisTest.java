package dev.troupe.server.task;

import dev.troupe.server.crash.TroupeOnRedis;

/** Tasks from beginning to end on one Redis. */
final class TaskQueueOnOneRedisTest extends TaskQueueContract {

  TaskQueueOnOneRedisTest() {
    super(TroupeOnRedis.single());
  }
}
