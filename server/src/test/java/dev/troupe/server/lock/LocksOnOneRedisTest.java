package dev.troupe.server.lock;

import dev.troupe.server.redis.TestRedis;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** The locks' contract on one Redis, with one partition. */
@SuppressWarnings("NullAway.Init")
final class LocksOnOneRedisTest
    implements LockLeaseContract,
        LockWaitContract,
        LockSetContract,
        LockDeadlockContract,
        LockStreamContract,
        LockViewContract {

  private static LockHarness locks;

  @BeforeAll
  static void start() throws Exception {
    locks = new LockHarness(TestRedis.single(), 1);
  }

  @AfterAll
  static void stop() throws Exception {
    locks.close();
  }

  @Override
  public LockHarness locks() {
    return locks;
  }
}
