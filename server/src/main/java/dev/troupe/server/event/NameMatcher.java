package dev.troupe.server.event;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Patterns of names. What it finds out about a name it remembers, as the same few names come again
 * and again. Thread-safe.
 */
final class NameMatcher {

  private static final int MOST_REMEMBERED = 1024;

  private final List<Glob> patterns;
  private final Map<String, Boolean> known = new ConcurrentHashMap<>();

  NameMatcher(List<Glob> patterns) {
    this.patterns = patterns;
  }

  /** Whether one of the patterns matches. */
  boolean matches(String name) {
    Boolean answer = known.get(name);
    if (answer == null) {
      if (known.size() >= MOST_REMEMBERED) {
        known.clear();
      }
      answer = patterns.stream().anyMatch(glob -> glob.matches(name));
      known.put(name, answer);
    }
    return answer;
  }
}
