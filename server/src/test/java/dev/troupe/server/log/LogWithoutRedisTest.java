package dev.troupe.server.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.server.error.TroupeException;
import dev.troupe.server.redis.OwnRedis;
import dev.troupe.server.redis.Partition;
import dev.troupe.v1.ErrorReason;
import org.junit.jupiter.api.Test;

/** What who reads a log is told when Redis is away. */
final class LogWithoutRedisTest {

  private static final Partition PARTITION = new Partition("test", 0, 1);

  @Test
  void whoReadsItBackIsToldThatTheStoreIsAway() throws Exception {
    OwnRedis redis = new OwnRedis();
    try (LogHarness harness = new LogHarness(redis)) {
      harness.append(PARTITION, 1);
      RedisPartitionLogs logs = harness.logs();
      LogPosition end = LogHarness.get(logs.head(PARTITION)).position();
      redis.kill();
      assertThatThrownBy(() -> LogHarness.get(logs.back(PARTITION, end, 1, null)))
          .cause()
          .isInstanceOfSatisfying(
              TroupeException.class,
              told ->
                  // A read that got no answer changed nothing either.
                  assertThat(told.reason()).isEqualTo(ErrorReason.ERROR_REASON_STORE_UNAVAILABLE));
      logs.close();
    }
  }
}
