package dev.troupe.server.log;

import dev.troupe.server.log.PartitionTail.Cursor;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One thread's turn to wake readers. Those that take the news and ask for more at once, as most do,
 * are parked again together when it is over: so a thousand readers cost the tail's lock once, not
 * two thousand times, and two threads that wake do not wait for each other.
 *
 * <p>Used by the thread that runs it.
 */
final class Wake {

  private static final Logger log = LoggerFactory.getLogger(Wake.class);

  private final PartitionTail tail;
  private final Executor home;
  private @Nullable News news;
  private @Nullable Thread runs;
  private List<PartitionReader> again = List.of();

  /**
   * A wake that is yet to run.
   *
   * @param home where it runs
   * @param news null when readers are to look for themselves
   */
  Wake(PartitionTail tail, Executor home, @Nullable News news) {
    this.tail = tail;
    this.home = home;
    this.news = news;
  }

  void run(List<PartitionReader> readers) {
    News told = news;
    List<PartitionReader> late = List.of();
    try {
      again = new ArrayList<>(readers.size());
      runs = Thread.currentThread();
      for (PartitionReader reader : readers) {
        advance(reader, () -> reader.wokenBy(this));
      }
    } finally {
      // Readers keep it until their next one.
      runs = null;
      news = null;
      List<PartitionReader> waiting = again;
      again = List.of();
      if (told != null && !tail.parkAgain(home, waiting, told.changes())) {
        late = waiting;
      }
    }
    for (PartitionReader reader : late) {
      advance(reader, reader::advance);
    }
  }

  /** What happens to one reader is no reason to forget the others, whatever it is. */
  private static void advance(PartitionReader reader, Runnable step) {
    try {
      step.run();
    } catch (RuntimeException | Error fault) {
      log.error("a reader of {} failed", reader, fault);
      reader.fail(fault);
    }
  }

  @Nullable News news() {
    return news;
  }

  /** Takes charge of a reader that waits where the news end; called under the reader's lock. */
  boolean parks(PartitionReader reader, Cursor cursor) {
    News told = news;
    if (Thread.currentThread() != runs
        || told == null
        || !told.endAt(cursor)
        || reader.home() != home) {
      return false;
    }
    again.add(reader);
    return true;
  }
}
