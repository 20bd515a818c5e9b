package dev.troupe.server.memory;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.troupe.server.log.LogEntry;
import dev.troupe.server.log.LogPosition;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;

/**
 * Where the log ended when something was read that an index holds. Until the index has got there, a
 * Redis that dies may lose that end and get another one; what was read is then of no log at all.
 * Thread-safe.
 */
final class SeenPositions {

  static final LogPosition NOWHERE = new LogPosition(0, 0, 0);

  @GuardedBy("this")
  private final Queue<LogPosition> unproven = new ArrayDeque<>();

  @GuardedBy("this")
  private LogPosition newest = NOWHERE;

  /** Something was read when the log ended there. */
  synchronized void add(LogPosition end) {
    if (end.sequence() > newest.sequence()) {
      newest = end;
      unproven.add(end);
    }
  }

  /** Whether entries of the log are what was seen at their places; they come in order. */
  synchronized boolean agreeWith(List<LogEntry> entries) {
    for (LogEntry entry : entries) {
      LogPosition place = entry.position();
      while (!unproven.isEmpty() && unproven.element().sequence() <= place.sequence()) {
        LogPosition seen = unproven.remove();
        if (seen.sequence() == place.sequence() && !seen.equals(place)) {
          return false;
        }
      }
    }
    return true;
  }

  synchronized LogPosition newest() {
    return newest;
  }

  synchronized void clear() {
    unproven.clear();
    newest = NOWHERE;
  }
}
