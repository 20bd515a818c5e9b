package dev.troupe.server.log;

import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * A cursor on a partition's log: history first, live when it is read to the end, without a gap or a
 * repeat in between. One call of {@link #next} at a time. It holds no entries of its own, so a slow
 * reader costs nothing but history reads.
 */
public interface LogReader extends AutoCloseable {

  /**
   * The next entries after the cursor, at most {@code max}, which it then stands behind. The stage
   * stays open while there are none; {@link #close} completes it with an empty page.
   */
  CompletionStage<Page> next(int max);

  /** Where the cursor stands. */
  LogPosition position();

  /** The life of the log that {@link #position} belongs to. */
  long epoch();

  @Override
  void close();

  /**
   * What a read found.
   *
   * @param entries in order, contiguous
   * @param missed how many entries before the first one can no longer be read; 0 when none, -1 when
   *     their number is unknown
   * @param epochChanged the log was replaced by another one since the cursor's position
   * @param live the cursor stands at the end of the log as this server knows it
   */
  record Page(List<LogEntry> entries, long missed, boolean epochChanged, boolean live) {}
}
