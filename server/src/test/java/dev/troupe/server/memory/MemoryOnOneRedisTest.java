package dev.troupe.server.memory;

import dev.troupe.server.redis.TestRedis;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** The memory's contract on one Redis, with one partition. */
@SuppressWarnings("NullAway.Init")
final class MemoryOnOneRedisTest
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
    memory = new MemoryHarness(TestRedis.single(), 1);
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
