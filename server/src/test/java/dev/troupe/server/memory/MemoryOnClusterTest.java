package dev.troupe.server.memory;

import dev.troupe.server.redis.TestRedis;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** The memory's contract on a Redis Cluster of six processes, with 16 partitions. */
@SuppressWarnings("NullAway.Init")
final class MemoryOnClusterTest
    implements MemoryItemContract,
        MemoryTimeContract,
        MemoryQuotaContract,
        MemoryRoomContract,
        MemoryOfBeforeContract,
        MemoryDefaultsContract,
        MemoryConcurrencyContract,
        ConversationContract,
        MemorySearchContract {

  private static MemoryHarness memory;

  @BeforeAll
  static void start() throws Exception {
    memory = new MemoryHarness(TestRedis.cluster(), 16);
  }

  @AfterAll
  static void stop() throws Exception {
    memory.close();
  }

  @Override
  public MemoryHarness memory() {
    return memory;
  }
}
