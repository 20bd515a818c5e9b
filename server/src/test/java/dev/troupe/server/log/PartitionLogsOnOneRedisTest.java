package dev.troupe.server.log;

import static dev.troupe.server.log.LogHarness.get;
import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.server.redis.OwnRedis;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.TestRedis;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Partition logs on one Redis, which may also be away for a while. */
final class PartitionLogsOnOneRedisTest extends PartitionLogsContract {

  @Override
  TestRedis redis() throws Exception {
    return TestRedis.single();
  }

  @Test
  void aReaderOpenedWhileRedisIsAwayReadsWhenItIsBack() throws Exception {
    OwnRedis redis = new OwnRedis();
    Partition partition = new Partition("away", 0, 1);
    try (LogHarness own = new LogHarness(redis)) {
      RedisPartitionLogs logs = own.logs();
      own.append(partition, 1, 2, 3);
      redis.kill();
      try (LogReader reader = logs.open(partition, new LogPosition(0, 0, 0), 0)) {
        CompletableFuture<LogReader.Page> page = reader.next(10).toCompletableFuture();
        redis.start();
        assertThat(get(page).entries()).hasSize(3);
      }
    }
  }
}
