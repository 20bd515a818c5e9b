package dev.troupe.server.event.cesql;

import java.util.List;

/** An operator with its right operand, to be applied to what stands left of it. Immutable. */
sealed interface Step {

  /** The left operand may be a failure, which is passed on. */
  Object apply(Object left, Attributes attributes);

  /** The type of what it returns. */
  Type type();

  /** {@code + - * / %}. */
  record Compute(Arithmetic operator, Term right) implements Step {
    @Override
    public Object apply(Object left, Attributes attributes) {
      return left instanceof Failure failure
          ? failure.as(Type.INTEGER)
          : operator.apply(left, right.evaluate(attributes));
    }

    @Override
    public Type type() {
      return Type.INTEGER;
    }
  }

  /** {@code = != <> < <= > >=}. */
  record Compare(Comparison operator, Term right) implements Step {
    @Override
    public Object apply(Object left, Attributes attributes) {
      return left instanceof Failure failure
          ? failure.as(Type.BOOLEAN)
          : operator.apply(left, right.evaluate(attributes));
    }

    @Override
    public Type type() {
      return Type.BOOLEAN;
    }
  }

  /** {@code AND}, {@code OR}: the right side is left alone if the left one decides. */
  record Decide(boolean decidedBy, Term right) implements Step {
    @Override
    public Object apply(Object left, Attributes attributes) {
      Object x = Type.BOOLEAN.cast(left);
      return x instanceof Boolean truth && truth != decidedBy
          ? Type.BOOLEAN.cast(right.evaluate(attributes))
          : x;
    }

    @Override
    public Type type() {
      return Type.BOOLEAN;
    }
  }

  /** {@code XOR}. */
  record Differ(Term right) implements Step {
    @Override
    public Object apply(Object left, Attributes attributes) {
      Object x = Type.BOOLEAN.cast(left);
      if (x instanceof Failure) {
        return x;
      }
      Object y = Type.BOOLEAN.cast(right.evaluate(attributes));
      return y instanceof Failure ? y : (Object) !x.equals(y);
    }

    @Override
    public Type type() {
      return Type.BOOLEAN;
    }
  }

  /** {@code LIKE}, {@code NOT LIKE}. */
  record Like(LikePattern pattern, boolean negated) implements Step {
    @Override
    public Object apply(Object left, Attributes attributes) {
      return left instanceof Failure failure
          ? failure.as(Type.BOOLEAN)
          : (Object) (pattern.matches(left.toString()) != negated);
    }

    @Override
    public Type type() {
      return Type.BOOLEAN;
    }
  }

  /** {@code IN}, {@code NOT IN}: elements are cast to the type on the left, up to the first hit. */
  record In(List<Term> elements, boolean negated) implements Step {
    @Override
    public Object apply(Object left, Attributes attributes) {
      if (left instanceof Failure failure) {
        return failure.as(Type.BOOLEAN);
      }
      Type type = Type.of(left);
      for (int i = 0; i < elements.size(); i++) {
        Object element = type.cast(elements.get(i).evaluate(attributes));
        if (element instanceof Failure failure) {
          return failure.as(Type.BOOLEAN);
        }
        if (element.equals(left)) {
          return !negated;
        }
      }
      return negated;
    }

    @Override
    public Type type() {
      return Type.BOOLEAN;
    }
  }
}
