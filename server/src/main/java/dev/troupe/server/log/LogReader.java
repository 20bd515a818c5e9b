package dev.troupe.server.log;

import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * A cursor on a partition's log: history first, live when it is read to the end, without a gap or a
 * repeat in between. One call of {@link #next} at a time. It holds no entries of its own, so a slow
 * reader costs nothing but history reads.
 *
 * <p>While Redis is away a reader waits; it never fails.
 */
public interface LogReader extends AutoCloseable {

  /**
   * The next entries after the cursor, at most {@code max} and about 1 MiB, which it then stands
   * behind; or a report without entries. The stage stays open while there is nothing to tell and
   * completes on any thread. {@link #close} completes it with {@link Page#NOTHING}.
   */
  CompletionStage<Page> next(int max);

  /** Where the cursor stands. Not to be asked for while a call of {@link #next} is open. */
  LogPosition position();

  /** The life of the log that {@link #position} belongs to; 0 before its first entry. */
  long epoch();

  /** Ends the reader. Entries that were not handed out yet stay behind the cursor. */
  @Override
  void close();

  /**
   * What a read found. A page that reports something missing has no entries; the cursor then stands
   * behind the gap. A reader that was behind and gets to the end says so, if need be by an empty
   * page.
   *
   * @param entries in order, contiguous with the cursor as it was
   * @param missed how many entries can no longer be read; 0 when none, -1 when their number is
   *     unknown
   * @param epochChanged the log was replaced by another one, or lost its end, since the cursor's
   *     position; {@code missed} is -1 then
   * @param live the cursor stands at the end of the log as this server knows it
   */
  record Page(List<LogEntry> entries, long missed, boolean epochChanged, boolean live) {

    /** A page that says nothing: what a closed reader answers. */
    public static final Page NOTHING = new Page(List.of(), 0, false, false);

    static Page of(List<LogEntry> entries, boolean live) {
      return new Page(entries, 0, false, live);
    }

    static Page trimmed(long missed) {
      return new Page(List.of(), missed, false, false);
    }

    static Page replaced() {
      return new Page(List.of(), -1, true, false);
    }
  }
}
