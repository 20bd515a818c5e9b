package dev.troupe.server.log;

import dev.troupe.server.log.LogReader.Page;
import dev.troupe.server.log.PartitionTail.Cursor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What came to a ring, as all who waited at its end read it: made once, however many they are.
 * Thread-safe.
 */
final class News {

  private final LogPosition after;
  private final LogPosition end;
  private final Page page;
  private final long bytes;
  private final long epoch;
  private final int life;
  private final long changes;

  /** What the reader before became, which the next one mostly becomes too. */
  private @Nullable Cursor behind;

  /**
   * Entries that came to a ring.
   *
   * @param after the end of the ring before
   * @param entries the next ones, never none
   * @param life of the ring
   * @param changes what the ring's change counter says since
   */
  News(LogPosition after, List<LogEntry> entries, long epoch, int life, long changes) {
    this.after = after;
    this.end = entries.get(entries.size() - 1).position();
    this.page = Page.of(List.copyOf(entries), true);
    this.bytes = entries.stream().mapToLong(LogEntry::weight).sum();
    this.epoch = epoch;
    this.life = life;
    this.changes = changes;
  }

  Page page() {
    return page;
  }

  long changes() {
    return changes;
  }

  /** Whether it is the next page of a reader that stands there and takes so much. */
  boolean suits(Cursor cursor, int max, long maxBytes) {
    return cursor.epoch() == epoch
        && cursor.position().equals(after)
        && page.entries().size() <= max
        && bytes <= maxBytes;
  }

  /** Where that reader stands then. */
  Cursor behind(Cursor cursor) {
    // Threads may see each other's or not; it is immutable.
    Cursor known = behind;
    if (known == null
        || known.checkedLife() != cursor.checkedLife()
        || known.checkedChanges() != cursor.checkedChanges()
        || known.atEnd() != cursor.atEnd()) {
      known =
          new Cursor(
              end,
              epoch,
              cursor.checkedLife(),
              cursor.checkedChanges(),
              cursor.atEnd(),
              true,
              life);
      behind = known;
    }
    return known;
  }

  /** Whether a reader stands where these news end, and knows it. */
  boolean endAt(Cursor cursor) {
    return cursor.toldLive() && cursor.epoch() == epoch && cursor.position() == end;
  }
}
