package dev.troupe.server.task;

import dev.troupe.server.crash.TroupeOnRedis;

/** Tasks from beginning to end on a Redis Cluster of six processes, with 16 partitions. */
final class TaskQueueOnClusterTest extends TaskQueueContract {

  TaskQueueOnClusterTest() {
    super(TroupeOnRedis.cluster());
  }
}
