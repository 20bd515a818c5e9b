package dev.troupe.server.task;

import dev.troupe.server.crash.TroupeOnRedis;

/** Which task goes next, on a Redis Cluster of six processes, with 16 partitions. */
final class TaskOrderOnClusterTest extends TaskOrderContract {

  TaskOrderOnClusterTest() {
    super(TroupeOnRedis.cluster());
  }
}
