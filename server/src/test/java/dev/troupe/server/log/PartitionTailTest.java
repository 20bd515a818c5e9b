package dev.troupe.server.log;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.base.Ticker;
import com.google.protobuf.ByteString;
import dev.troupe.server.log.PartitionLogs.LogHead;
import dev.troupe.server.log.PartitionTail.Attempt;
import dev.troupe.server.log.PartitionTail.Cursor;
import dev.troupe.server.log.PartitionTail.Outcome;
import dev.troupe.server.redis.Partition;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * A memory that Redis has left behind: it lost all after the first entry and was written to since,
 * and the tail has not noticed yet.
 */
final class PartitionTailTest {

  private static final long EPOCH = 7;
  private static final Partition PARTITION = new Partition("test", 0, 1);

  private final ScheduledExecutorService executor = Executors.newSingleThreadScheduledExecutor();

  @SuppressWarnings("NullAway") // Redis is not asked for anything.
  private final LogStore store = new LogStore(null, null);

  private final PartitionTail tail =
      new PartitionTail(
          PARTITION,
          store,
          executor,
          () -> 1,
          Duration.ofSeconds(5),
          Ticker.systemTicker(),
          end -> {});

  @BeforeEach
  void theMemoryHoldsOnlyTheTenthEntry() {
    tail.replaceRing(new LogHead(new LogPosition(1, 0, 1), EPOCH));
    for (int i = 2; i <= 10; i++) {
      assertThat(tail.append(List.of(entry(i)))).isTrue();
    }
  }

  @AfterEach
  void stop() {
    executor.shutdownNow();
  }

  @Test
  void aReaderAtTheEndOfWhatCameInsteadIsNotOverrunByIt() {
    Attempt told = attempt(readToTheEnd(EPOCH));
    assertThat(told.outcome()).isEqualTo(Outcome.READ);
    assertThat(told.page().live()).isTrue();
    assertThat(tail.isOverrun(behind(told))).isFalse();
    assertThat(attempt(behind(told)).outcome()).isEqualTo(Outcome.PARKED);
  }

  @Test
  void aReaderOfTheLogThatCameInsteadStaysInIt() {
    assertThat(attempt(readToTheEnd(EPOCH + 1)).epoch()).isEqualTo(EPOCH + 1);
  }

  /**
   * One that read five entries of what is there now, and was told by Redis that nothing follows.
   */
  private Cursor readToTheEnd(long epoch) {
    Cursor unchecked = new Cursor(new LogPosition(100, 0, 5), epoch, 0, 0, false, false, 0);
    Attempt before = attempt(unchecked);
    assertThat(before.outcome()).isEqualTo(Outcome.HISTORY);
    return new Cursor(unchecked.position(), epoch, before.life(), before.changes(), true, false, 0);
  }

  private static Cursor behind(Attempt told) {
    return new Cursor(
        new LogPosition(100, 0, 5), told.epoch(), 1, told.changes(), true, true, told.life());
  }

  private Attempt attempt(Cursor cursor) {
    CatchUpGate gate = new CatchUpGate(1, executor);
    PartitionReader reader =
        new PartitionReader(
            PARTITION, tail, store, null, gate, executor, cursor.position(), cursor.epoch(), 0);
    return tail.attempt(reader, cursor, 0, 10, 1_000);
  }

  private static LogEntry entry(int i) {
    return new LogEntry(0, new LogPosition(10 + i, 0, i), "topic", "type", "", ByteString.EMPTY, 0);
  }
}
