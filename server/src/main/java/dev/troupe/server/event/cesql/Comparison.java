package dev.troupe.server.event.cesql;

/** The operators that order two integers, and whether two values of any type are equal. */
enum Comparison {
  EQUAL,
  NOT_EQUAL,
  LESS,
  LESS_OR_EQUAL,
  GREATER,
  GREATER_OR_EQUAL;

  /** Equality casts the left value to the type of the right one, order casts both to integers. */
  Object apply(Object left, Object right) {
    if (right instanceof Failure failure) {
      return failure.as(Type.BOOLEAN);
    }
    Type type = this == EQUAL || this == NOT_EQUAL ? Type.of(right) : Type.INTEGER;
    Object x = type.cast(left);
    if (x instanceof Failure failure) {
      return failure.as(Type.BOOLEAN);
    }
    Object y = type.cast(right);
    if (y instanceof Failure failure) {
      return failure.as(Type.BOOLEAN);
    }
    return switch (this) {
      case EQUAL -> x.equals(y);
      case NOT_EQUAL -> !x.equals(y);
      case LESS -> (Integer) x < (Integer) y;
      case LESS_OR_EQUAL -> (Integer) x <= (Integer) y;
      case GREATER -> (Integer) x > (Integer) y;
      case GREATER_OR_EQUAL -> (Integer) x >= (Integer) y;
    };
  }
}
