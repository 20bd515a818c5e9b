package dev.troupe.server.event;

import com.google.protobuf.util.Timestamps;
import dev.troupe.server.event.cesql.CesqlFilter;
import dev.troupe.v1.Event;
import dev.troupe.v1.EventFilter;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** A filter of the contract over events that are decoded anyway. Immutable, thread-safe. */
final class EventMatcher implements Predicate<Event> {

  private final EventFilter filter;
  private final List<Glob> types;
  private final @Nullable CesqlFilter cesql;

  /** Compiles a filter without problems. */
  EventMatcher(EventFilter filter) {
    this.filter = filter;
    this.types = Glob.all(filter.getTypesList());
    this.cesql =
        !filter.getCesql().isEmpty()
                && CesqlFilter.compile(filter.getCesql()) instanceof CesqlFilter.Compiled compiled
            ? compiled.filter()
            : null;
  }

  /** What is wrong with the expression of a filter. */
  static List<String> problems(EventFilter filter) {
    if (!filter.getCesql().isEmpty()
        && CesqlFilter.compile(filter.getCesql()) instanceof CesqlFilter.Refused refused) {
      return refused.problems().stream().map(Object::toString).toList();
    }
    return List.of();
  }

  @Override
  public boolean test(Event event) {
    return (types.isEmpty() || types.stream().anyMatch(glob -> glob.matches(event.getType())))
        && event.getSubject().startsWith(filter.getSubjectPrefix())
        && filter.getAttributesMap().entrySet().stream().allMatch(wanted -> has(event, wanted))
        && (cesql == null || cesql.matches(name -> attribute(event, name)));
  }

  private static boolean has(Event event, Map.Entry<String, String> wanted) {
    return wanted.getValue().equals(attribute(event, wanted.getKey()));
  }

  /** The value of an attribute by its name in CloudEvents or in the contract. */
  private static @Nullable String attribute(Event event, String name) {
    return switch (name) {
      case "specversion" -> "1.0";
      case "id" -> event.getId();
      case "source" -> event.getSource();
      case "type" -> event.getType();
      case "subject" -> given(event.getSubject());
      case "time" -> event.hasTime() ? Timestamps.toString(event.getTime()) : null;
      case "datacontenttype" -> given(event.getDatacontenttype());
      case "dataschema" -> given(event.getDataschema());
      case "correlation_id", "correlationid" -> given(event.getCorrelationId());
      case "causation_id", "causationid" -> given(event.getCausationId());
      case "actor" -> given(event.getActor());
      case "key" -> given(event.getKey());
      case "reply_to", "replyto" -> given(event.getReplyTo());
      default -> event.getAttributesMap().get(name);
    };
  }

  private static @Nullable String given(String value) {
    return value.isEmpty() ? null : value;
  }
}
