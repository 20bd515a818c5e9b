package dev.troupe.server.event;

import dev.troupe.server.redis.TestRedis;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** The contract of consumer groups on a Redis Cluster of six processes, with 16 partitions. */
@SuppressWarnings("NullAway.Init")
final class GroupsOnClusterTest
    implements GroupDeliveryContract, GroupViewContract, DeadLetterContract, GroupLoadContract {

  private static GroupHarness groups;

  @BeforeAll
  static void start() throws Exception {
    groups = new GroupHarness(TestRedis.cluster(), 16);
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
