package dev.troupe.server.log;

import dev.troupe.server.redis.TestRedis;

/** Partition logs on a Redis Cluster of six processes. */
final class PartitionLogsOnClusterTest extends PartitionLogsContract {

  @Override
  TestRedis redis() throws Exception {
    return TestRedis.cluster();
  }
}
