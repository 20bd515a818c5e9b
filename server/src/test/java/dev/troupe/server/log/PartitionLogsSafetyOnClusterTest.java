package dev.troupe.server.log;

import dev.troupe.server.redis.TestRedis;

/** Random runs on a Redis Cluster of six processes. */
final class PartitionLogsSafetyOnClusterTest extends PartitionLogsSafetyContract {

  @Override
  TestRedis redis() throws Exception {
    return TestRedis.cluster();
  }

  @Override
  int runs() {
    return 40;
  }

  @Override
  void disturb() {}
}
