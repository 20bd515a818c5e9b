package dev.troupe.server.event;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The topics and types that a subscription asks for, compiled once. What it finds out about a name
 * it remembers, as the same few names come again and again. For one thread at a time.
 */
final class EventFilter {

  /** What the server's own topics begin with. */
  static final String SYSTEM = "troupe.";

  private static final int MOST_REMEMBERED = 1024;

  private final Set<String> topics = new HashSet<>();
  private final List<Glob> topicPatterns;
  private final List<Glob> types;
  private final Map<String, Boolean> knownTopics = new HashMap<>();
  private final Map<String, Boolean> knownTypes = new HashMap<>();

  /** No types mean all. */
  EventFilter(List<String> topics, List<String> types) {
    List<Glob> globs = Glob.all(topics);
    globs.stream().filter(Glob::isLiteral).forEach(glob -> this.topics.add(glob.pattern()));
    this.topicPatterns = globs.stream().filter(glob -> !glob.isLiteral()).toList();
    this.types = Glob.all(types);
  }

  /** Whether an event is asked for. */
  boolean matches(String topic, String type) {
    return remember(knownTopics, topic, this::isTopic)
        && (types.isEmpty() || remember(knownTypes, type, this::isType));
  }

  /**
   * The topics whose partitions are all that has to be read; empty when it takes all partitions, as
   * a pattern may match any topic and the server's own topics are everywhere.
   */
  Set<String> onlyTopics() {
    boolean everywhere =
        !topicPatterns.isEmpty() || topics.stream().anyMatch(topic -> topic.startsWith(SYSTEM));
    return everywhere ? Set.of() : Set.copyOf(topics);
  }

  private boolean isTopic(String topic) {
    if (topics.contains(topic)) {
      return true;
    }
    boolean system = topic.startsWith(SYSTEM);
    return topicPatterns.stream()
        .filter(glob -> !system || glob.pattern().startsWith(SYSTEM))
        .anyMatch(glob -> glob.matches(topic));
  }

  private boolean isType(String type) {
    return types.stream().anyMatch(glob -> glob.matches(type));
  }

  private interface Question {
    boolean ask(String name);
  }

  private static boolean remember(Map<String, Boolean> known, String name, Question question) {
    Boolean answer = known.get(name);
    if (answer == null) {
      if (known.size() >= MOST_REMEMBERED) {
        known.clear();
      }
      answer = question.ask(name);
      known.put(name, answer);
    }
    return answer;
  }
}
