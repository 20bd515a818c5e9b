package dev.troupe.server.log;

import java.util.List;

/**
 * How many entries to ask Redis for next. Redis can bound a read by number only, so the number
 * follows the size of the entries seen last: a page stays near its size in bytes, whether entries
 * are small or large.
 *
 * <p>Not thread-safe.
 */
final class PageSize {

  private static final int FIRST = 16;
  private static final int LEAST = 8;

  private final long pageBytes;
  private final int most;
  private int count;

  PageSize(long pageBytes, int most) {
    this.pageBytes = pageBytes;
    this.most = most;
    this.count = Math.min(FIRST, most);
  }

  /** What to ask for, at most the given number. */
  int next(int wanted) {
    return Math.min(count, wanted);
  }

  /** The same for a page of fewer bytes. */
  int next(int wanted, long bytes) {
    return bytes >= pageBytes
        ? next(wanted)
        : next((int) Math.min(wanted, Math.max(LEAST, count * bytes / pageBytes)));
  }

  /** Learns from what came back. It may grow only so fast, because a larger entry may follow. */
  void saw(List<LogEntry> page) {
    if (page.isEmpty()) {
      return;
    }
    long bytes = 0;
    for (LogEntry entry : page) {
      bytes += entry.weight();
    }
    long fitting = pageBytes * page.size() / bytes;
    count = (int) Math.max(LEAST, Math.min(Math.min(fitting, most), count * 2L));
  }
}
