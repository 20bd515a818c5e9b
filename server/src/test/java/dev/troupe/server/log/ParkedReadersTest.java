package dev.troupe.server.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Streams come and go while nothing is written: who left must not be kept for good. */
final class ParkedReadersTest {

  private final TailWithoutRedis log = new TailWithoutRedis(1 << 20);
  private final ParkedReaders parked = new ParkedReaders();

  @AfterEach
  void stop() {
    log.close();
  }

  @Test
  void whoLeftIsNotKeptForLong() {
    PartitionReader staying = park();
    for (int i = 0; i < 10_000; i++) {
      leave(park());
      assertThat(all()).hasSizeLessThan(200);
    }
    assertThat(all()).contains(staying);
  }

  @Test
  void oneOfManyMayLeaveAtATime() {
    List<PartitionReader> readers = new ArrayList<>();
    for (int i = 0; i < 1000; i++) {
      readers.add(park());
    }
    for (int i = 0; i < 900; i++) {
      leave(readers.get(i));
    }
    assertThat(all()).containsAll(readers.subList(900, 1000)).hasSizeLessThan(300);
  }

  @Test
  void theyWaitByThreadInTheOrderInWhichTheyCame() {
    PartitionReader first = park();
    PartitionReader elsewhere = reader();
    elsewhere.wakeOn(Runnable::run);
    parked.add(elsewhere);
    PartitionReader second = park();
    List<List<PartitionReader>> groups = new ArrayList<>();
    parked.forEach((home, readers) -> groups.add(readers));
    assertThat(groups).containsExactlyInAnyOrder(List.of(first, second), List.of(elsewhere));
  }

  private PartitionReader park() {
    PartitionReader reader = reader();
    parked.add(reader);
    return reader;
  }

  private PartitionReader reader() {
    return log.reader(LogPosition.BEGINNING, TailWithoutRedis.EPOCH);
  }

  private void leave(PartitionReader reader) {
    reader.close();
    parked.left();
  }

  private List<PartitionReader> all() {
    List<PartitionReader> all = new ArrayList<>();
    parked.forEach((home, readers) -> all.addAll(readers));
    return all;
  }
}
