package dev.troupe.server.log;

import java.util.ArrayList;
import java.util.List;

/**
 * The newest entries of one log, contiguous and bounded. It stands behind its {@code base}: every
 * entry of the log after that position is here, up to the newest one read.
 *
 * <p>Not thread-safe; its tail guards it.
 */
final class EntryRing {

  /** The successor of a position is not here, or the position is not one of this log. */
  static final int ELSEWHERE = -1;

  /** The position is beyond the newest entry. */
  static final int AHEAD = -2;

  private static final int FIRST_SLOTS = 64;

  private final int maxCount;
  private long maxBytes;
  private LogEntry[] slots;
  private LogPosition base;
  private int first;
  private int count;
  private long bytes;

  EntryRing(LogPosition base, long maxBytes, int maxCount) {
    this.base = base;
    this.maxBytes = maxBytes;
    this.maxCount = maxCount;
    this.slots = new LogEntry[Math.min(FIRST_SLOTS, maxCount)];
  }

  /** The position that every entry held here comes after. */
  LogPosition base() {
    return base;
  }

  /** Position of the newest entry, or the base when there is none. */
  LogPosition last() {
    return count == 0 ? base : at(count - 1).position();
  }

  /** Whether the entry is the very next one. */
  boolean continuesWith(LogEntry entry) {
    return entry.position().sequence() == last().sequence() + 1
        && entry.position().compareTo(last()) > 0;
  }

  /** Holds no more than so many bytes from now on, or the newest entry alone. */
  void holdAtMost(long most) {
    maxBytes = most;
    while (count > 1 && bytes > maxBytes) {
      dropOldest();
    }
  }

  /** Adds the next entry and drops the oldest ones beyond the bounds; never the new one itself. */
  void append(LogEntry entry) {
    while (count == maxCount || (count > 0 && bytes + entry.weight() > maxBytes)) {
      dropOldest();
    }
    if (count == slots.length) {
      grow();
    }
    slots[(first + count) % slots.length] = entry;
    count++;
    bytes += entry.weight();
  }

  private void grow() {
    LogEntry[] more = new LogEntry[Math.min(maxCount, 2 * slots.length)];
    for (int i = 0; i < count; i++) {
      more[i] = at(i);
    }
    slots = more;
    first = 0;
  }

  @SuppressWarnings("NullAway") // A slot outside of the ring holds nothing.
  private void dropOldest() {
    LogEntry oldest = slots[first];
    slots[first] = null;
    base = oldest.position();
    bytes -= oldest.weight();
    first = (first + 1) % slots.length;
    count--;
  }

  /**
   * Index of the entry that follows a position, {@link #size} when it is the newest one, {@link
   * #ELSEWHERE} or {@link #AHEAD}. A position with a known sequence is found only where both its
   * place and its sequence agree: then it surely belongs to this log.
   */
  int successorOf(LogPosition position) {
    if (!position.isExact()) {
      return position.compareTo(base) < 0 ? ELSEWHERE : firstAfter(position);
    }
    long index = position.sequence() - base.sequence();
    if (index < 0) {
      return ELSEWHERE;
    }
    if (index > count) {
      return AHEAD;
    }
    LogPosition known = index == 0 ? base : at((int) index - 1).position();
    return known.compareTo(position) == 0 ? (int) index : ELSEWHERE;
  }

  private int firstAfter(LogPosition position) {
    int low = 0;
    int high = count;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (at(middle).position().compareTo(position) > 0) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  }

  /** Entries from an index on, at most so many and about so many bytes, but at least one. */
  List<LogEntry> entries(int from, int max, long maxPageBytes) {
    int upTo = Math.min(count, from + max);
    List<LogEntry> page = new ArrayList<>(upTo - from);
    long taken = 0;
    for (int i = from; i < upTo && (taken < maxPageBytes || page.isEmpty()); i++) {
      page.add(at(i));
      taken += at(i).weight();
    }
    return page;
  }

  int size() {
    return count;
  }

  private LogEntry at(int index) {
    return slots[(first + index) % slots.length];
  }
}
