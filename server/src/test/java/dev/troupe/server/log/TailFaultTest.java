package dev.troupe.server.log;

import static dev.troupe.server.log.LogHarness.get;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.base.Ticker;
import dev.troupe.server.log.PartitionLogs.LogHead;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.TestRedis;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Something goes wrong in the server itself while it follows a log; that must pass. */
final class TailFaultTest {

  private static final Partition PARTITION = new Partition("test", 0, 1);

  @Test
  void aFaultWhileEntriesAreTakenOverDoesNotStopTheTail() throws Exception {
    AtomicInteger faults = new AtomicInteger();
    try (LogHarness harness = new LogHarness(TestRedis.single())) {
      harness.append(PARTITION, 1);
      LogStore store = new LogStore(harness.redis, harness.redis);
      PartitionTail tail =
          new PartitionTail(
              PARTITION,
              store,
              harness.executor,
              () -> {
                if (faults.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
                  throw new IllegalStateException("on purpose");
                }
                return 1 << 20;
              },
              Duration.ofSeconds(5),
              Ticker.systemTicker(),
              ended -> {});
      assertThat(tail.retain()).isTrue();
      tail.start();
      LogHead head = get(store.head(PARTITION));
      CatchUpGate gate = new CatchUpGate(1, harness.executor);
      try (LogReader reader =
          new PartitionReader(
              PARTITION,
              tail,
              store,
              null,
              gate,
              harness.executor,
              head.position(),
              head.epoch(),
              0)) {
        assertThat(get(reader.next(10)).live()).isTrue();
        CompletionStage<LogReader.Page> next = reader.next(10);
        faults.set(3);
        harness.append(PARTITION, 2);
        assertThat(get(next).entries()).hasSize(1);
        assertThat(faults).hasValueLessThan(3);
      } finally {
        tail.end();
      }
    }
  }
}
