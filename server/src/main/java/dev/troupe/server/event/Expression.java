package dev.troupe.server.event;

import dev.troupe.server.event.cesql.CesqlFilter;
import dev.troupe.server.event.cesql.CesqlFilter.Compiled;
import dev.troupe.server.event.cesql.CesqlFilter.Refused;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A filter in the CloudEvents SQL language, or none. Thread-safe. */
final class Expression {

  private final @Nullable CesqlFilter filter;

  private Expression(@Nullable CesqlFilter filter) {
    this.filter = filter;
  }

  /** What is wrong with a text as an expression; nothing for none. */
  static List<String> problems(String text) {
    if (!text.isEmpty() && CesqlFilter.compile(text) instanceof Refused refused) {
      return refused.problems().stream().map(Object::toString).toList();
    }
    return List.of();
  }

  /** Compiles a text without problems; an empty one lets everything pass. */
  static Expression compile(String text) {
    if (text.isEmpty()) {
      return new Expression(null);
    }
    if (CesqlFilter.compile(text) instanceof Compiled compiled) {
      return new Expression(compiled.filter());
    }
    throw new IllegalArgumentException("not a valid expression: " + text);
  }

  /** Whether an event passes; one for which the evaluation fails does not. */
  boolean matches(EventAttributes event) {
    return filter == null || filter.matches(event::get);
  }
}
