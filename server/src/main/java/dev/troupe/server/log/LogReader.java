package dev.troupe.server.log;

import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;

/**
 * A cursor on a partition's log: history first, live when it is read to the end, without a gap or a
 * repeat in between. One call of {@link #next} at a time. It holds no entries of its own, so a slow
 * reader costs nothing but history reads.
 *
 * <p>While Redis is away a reader waits; it never fails.
 */
public interface LogReader extends AutoCloseable {

  /**
   * The next entries after the cursor, at most {@code max} and about so many bytes of heap, but at
   * least one, which it then stands behind; or a report without entries. The stage stays open while
   * there is nothing to tell and completes on any thread. {@link #close} completes it with {@link
   * Page#NOTHING}.
   *
   * <p>Readers that stand at the same place of the memory and ask for the same get the same list.
   */
  CompletionStage<Page> next(int max, long bytes);

  /**
   * The same for who reads on and on, and so can be told without a stage for each page.
   *
   * @param taker told once, on any thread, maybe before this returns
   */
  default void next(int max, long bytes, Taker taker) {
    next(max, bytes)
        .whenComplete(
            (page, failure) -> {
              if (failure == null) {
                taker.take(page);
              } else {
                taker.fail(failure);
              }
            });
  }

  /** Who gets the pages of a reader. Neither method may throw. */
  interface Taker {

    void take(Page page);

    void fail(Throwable failure);
  }

  /** The same with about 1 MiB. */
  default CompletionStage<Page> next(int max) {
    return next(max, 1 << 20);
  }

  /**
   * Where stages complete and takers are told that had to wait for an entry, if it can be chosen.
   * Who sends what comes on a connection does it best on the thread of that connection.
   */
  default void wakeOn(Executor thread) {}

  /** Where the cursor stands. Not to be asked for while a call of {@link #next} is open. */
  LogPosition position();

  /** The life of the log that {@link #position} belongs to; 0 before its first entry. */
  long epoch();

  /** How many entries after the cursor this server knows of, matching or not; never waits. */
  default long lag() {
    return 0;
  }

  /** Whether {@link #next} would report that the cursor, once live, has left the memory. */
  default boolean isOverrun() {
    return false;
  }

  /**
   * Passes over what has left the memory, and returns where the cursor stands then. It stays where
   * it is when the memory is that of another log, which {@link #next} will tell. Not to be asked
   * for while a call of {@link #next} is open.
   */
  default LogPosition skipToMemory() {
    return position();
  }

  /** What the memory holds after the cursor, to look at; does not move the cursor. */
  default List<LogEntry> inMemory() {
    return List.of();
  }

  /** Ends the reader. Entries that were not handed out yet stay behind the cursor. */
  @Override
  void close();

  /**
   * What a read found. A page that reports something missing has no entries; the cursor then stands
   * behind the gap, or in it before what of some topics is still there. A reader that was behind
   * and gets to the end says so, if need be by an empty page.
   *
   * @param entries in order, contiguous with the cursor as it was
   * @param missed how many entries can no longer be read; 0 when none, -1 when their number is
   *     unknown
   * @param missedUpTo the sequence of the last of them; 0 when none, or unknown
   * @param epochChanged the log was replaced by another one, or lost its end, since the cursor's
   *     position; {@code missed} is -1 then
   * @param live the cursor stands at the end of the log as this server knew it when it was read
   * @param overrun the cursor was live before, and so many entries after it have left the memory
   *     since; it did not move, and the next read is one of history. Else 0
   */
  record Page(
      List<LogEntry> entries,
      long missed,
      long missedUpTo,
      boolean epochChanged,
      boolean live,
      long overrun) {

    /** A page that says nothing: what a closed reader answers. */
    public static final Page NOTHING = of(List.of(), false);

    /** Entries, and nothing to report. */
    public static Page of(List<LogEntry> entries, boolean live) {
      return new Page(entries, 0, 0, false, live, 0);
    }

    static Page trimmed(long missed, long upTo) {
      return new Page(List.of(), missed, upTo, false, false, 0);
    }

    static Page replaced() {
      return new Page(List.of(), -1, 0, true, false, 0);
    }

    static Page overrun(long entries) {
      return new Page(List.of(), 0, 0, false, false, entries);
    }
  }
}
