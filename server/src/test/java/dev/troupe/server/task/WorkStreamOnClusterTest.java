package dev.troupe.server.task;

import dev.troupe.server.crash.TroupeOnRedis;

/** The worker's stream on a Redis Cluster of six processes, with 16 partitions. */
final class WorkStreamOnClusterTest extends WorkStreamContract {

  WorkStreamOnClusterTest() {
    super(TroupeOnRedis.cluster());
  }
}
