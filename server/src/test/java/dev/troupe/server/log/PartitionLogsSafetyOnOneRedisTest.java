package dev.troupe.server.log;

import dev.troupe.server.redis.OwnRedis;
import dev.troupe.server.redis.TestRedis;

/** Random runs on one Redis, which is killed now and then. */
@SuppressWarnings("NullAway.Init")
final class PartitionLogsSafetyOnOneRedisTest extends PartitionLogsSafetyContract {

  private OwnRedis redis;

  @Override
  TestRedis redis() throws Exception {
    redis = new OwnRedis();
    return redis;
  }

  @Override
  int runs() {
    return Integer.getInteger("troupe.log.runs", 200);
  }

  @Override
  void disturb() throws Exception {
    redis.kill();
    redis.start();
  }
}
