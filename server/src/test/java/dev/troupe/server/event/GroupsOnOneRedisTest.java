package dev.troupe.server.event;

import dev.troupe.server.redis.TestRedis;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** The contract of consumer groups on one Redis, with 1 partition. */
@SuppressWarnings("NullAway.Init")
final class GroupsOnOneRedisTest
    implements GroupDeliveryContract, GroupViewContract, DeadLetterContract, GroupLoadContract {

  private static GroupHarness groups;

  @BeforeAll
  static void start() throws Exception {
    groups = new GroupHarness(TestRedis.single(), 1);
  }

  @AfterAll
  static void stop() throws Exception {
    groups.close();
  }

  @Override
  public GroupHarness groups() {
    return groups;
  }
}
