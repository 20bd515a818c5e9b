package dev.troupe.server.event;

import dev.troupe.v1.Event;
import dev.troupe.v1.EventFilter;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The {@code EventFilter} of the contract, compiled once. Equal to another that was made of the
 * same filter, in whatever order its parts were given. Thread-safe.
 */
final class EventSelector {

  private final Set<String> patterns;
  private final NameMatcher types;
  private final String subjectPrefix;
  private final Map<String, String> attributes;
  private final String cesql;
  private final Expression expression;
  private final String fingerprint;

  /** Compiles a filter that was found to be valid. */
  EventSelector(EventFilter filter) {
    patterns = Set.copyOf(filter.getTypesList());
    types = new NameMatcher(Glob.all(List.copyOf(patterns)));
    subjectPrefix = filter.getSubjectPrefix();
    attributes = Map.copyOf(filter.getAttributesMap());
    cesql = filter.getCesql();
    expression = Expression.compile(cesql);
    fingerprint = join();
  }

  /** Whether more than type and subject is looked at. */
  boolean looksInside() {
    return !attributes.isEmpty() || !cesql.isEmpty();
  }

  /**
   * Whether an event passes.
   *
   * @param event asked for only when it matters
   */
  boolean matches(String type, String subject, Supplier<EventAttributes> event) {
    return (patterns.isEmpty() || types.matches(type))
        && subject.startsWith(subjectPrefix)
        && (!looksInside() || matches(event.get()));
  }

  /** The same for an event that is decoded anyway. */
  boolean matches(Event event) {
    return matches(event.getType(), event.getSubject(), () -> EventAttributes.of(event));
  }

  private boolean matches(EventAttributes event) {
    for (Map.Entry<String, String> wanted : attributes.entrySet()) {
      if (!wanted.getValue().equals(event.get(wanted.getKey()))) {
        return false;
      }
    }
    return expression.matches(event);
  }

  /** Names this filter, and no other one; empty when it lets everything pass. */
  String fingerprint() {
    return fingerprint;
  }

  private String join() {
    boolean all = patterns.isEmpty() && subjectPrefix.isEmpty() && !looksInside();
    // Each part knows its length, so that none can pass for another one.
    return all
        ? ""
        : Stream.of(parts(patterns), subjectPrefix, parts(attributes.keySet()), values(), cesql)
            .map(part -> part.length() + ":" + part)
            .collect(Collectors.joining());
  }

  private String values() {
    return attributes.entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .map(each -> each.getValue().length() + ":" + each.getValue())
        .collect(Collectors.joining());
  }

  private static String parts(Set<String> set) {
    return set.stream()
        .sorted()
        .map(part -> part.length() + ":" + part)
        .collect(Collectors.joining());
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof EventSelector that && fingerprint.equals(that.fingerprint);
  }

  @Override
  public int hashCode() {
    return fingerprint.hashCode();
  }
}
