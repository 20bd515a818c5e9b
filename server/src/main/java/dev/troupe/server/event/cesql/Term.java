package dev.troupe.server.event.cesql;

import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A part of a compiled expression. Immutable; the parts of one expression form a shallow tree. */
sealed interface Term {

  /** A {@code String}, an {@code Integer}, a {@code Boolean} or a {@link Failure}. */
  Object evaluate(Attributes attributes);

  /** The type of what it evaluates to; null if only the event can tell. */
  @Nullable Type type();

  /** A value that is written in the expression. */
  record Literal(Object value) implements Term {
    @Override
    public Object evaluate(Attributes attributes) {
      return value;
    }

    @Override
    public Type type() {
      return Type.of(value);
    }
  }

  /** The value of an attribute. */
  record Attribute(String name) implements Term {
    @Override
    public Object evaluate(Attributes attributes) {
      Object value = attributes.get(name);
      if (value == null) {
        return Failure.of(CesqlError.MISSING_ATTRIBUTE, Type.BOOLEAN);
      }
      boolean known =
          value instanceof String || value instanceof Integer || value instanceof Boolean;
      return known ? value : value.toString();
    }

    @Override
    public @Nullable Type type() {
      return null;
    }
  }

  /** Whether the event has an attribute. */
  record Exists(String name) implements Term {

    /** What every event has. */
    private static final Set<String> REQUIRED = Set.of("specversion", "id", "source", "type");

    @Override
    public Object evaluate(Attributes attributes) {
      return REQUIRED.contains(name) || attributes.get(name) != null;
    }

    @Override
    public Type type() {
      return Type.BOOLEAN;
    }
  }

  /** {@code NOT x}. */
  record Not(Term operand) implements Term {

    /** The conformance suite wants {@code NOT 10} to be a failed cast, that is {@code false}. */
    private static final Failure UNTRUE_OPERAND = new Failure(CesqlError.CAST, true);

    @Override
    public Object evaluate(Attributes attributes) {
      Object value = operand.evaluate(attributes);
      if (value instanceof Failure failure) {
        return failure.as(Type.BOOLEAN);
      }
      return !(value instanceof Integer) && Type.BOOLEAN.cast(value) instanceof Boolean truth
          ? (Object) !truth
          : UNTRUE_OPERAND;
    }

    @Override
    public Type type() {
      return Type.BOOLEAN;
    }
  }

  /** {@code -x}. */
  record Negative(Term operand) implements Term {
    @Override
    public Object evaluate(Attributes attributes) {
      return Arithmetic.SUBTRACT.apply(0, operand.evaluate(attributes));
    }

    @Override
    public Type type() {
      return Type.INTEGER;
    }
  }

  /** A call of a function that exists, with as many arguments as it takes. */
  record Call(Function function, List<Term> arguments) implements Term {
    @Override
    public Object evaluate(Attributes attributes) {
      Object[] values = new Object[arguments.size()];
      for (int i = 0; i < values.length; i++) {
        values[i] = function.parameter(i).cast(arguments.get(i).evaluate(attributes));
        if (values[i] instanceof Failure failure) {
          return failure.as(function.result());
        }
      }
      return function.apply(values);
    }

    @Override
    public Type type() {
      return function.result();
    }
  }

  /**
   * Operators of equal precedence one after the other. A chain and not a tree, so that a hundred
   * alternatives nest no deeper than two.
   */
  record Chain(Term first, List<Step> steps) implements Term {

    /** The first term alone, if nothing follows it. */
    static Term of(Term first, List<Step> steps) {
      return steps.isEmpty() ? first : new Chain(first, List.copyOf(steps));
    }

    @Override
    public Object evaluate(Attributes attributes) {
      Object value = first.evaluate(attributes);
      for (int i = 0; i < steps.size(); i++) {
        value = steps.get(i).apply(value, attributes);
      }
      return value;
    }

    @Override
    public Type type() {
      return steps.get(steps.size() - 1).type();
    }
  }
}
