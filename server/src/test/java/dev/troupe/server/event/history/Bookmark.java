package dev.troupe.server.event.history;

import java.util.List;

/**
 * Where a reader goes on.
 *
 * @param token empty at its beginning
 * @param seen what was seen before
 * @param startedNanos when it was known where that began; nothing at the beginning
 */
record Bookmark(String token, List<Seen> seen, long startedNanos) {

  /** The beginning. */
  static final Bookmark NONE = new Bookmark("", List.of(), 0);
}
