package dev.troupe.server.task;

import dev.troupe.server.crash.TroupeOnRedis;

/** Repeated, late and wrong calls, on a Redis Cluster of six processes, with 16 partitions. */
final class TaskCallsOnClusterTest extends TaskCallsContract {

  TaskCallsOnClusterTest() {
    super(TroupeOnRedis.cluster());
  }
}
