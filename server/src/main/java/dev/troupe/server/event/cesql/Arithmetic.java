package dev.troupe.server.event.cesql;

/** The operators on two integers that return a third. */
enum Arithmetic {
  ADD {
    @Override
    long compute(long x, long y) {
      return x + y;
    }
  },
  SUBTRACT {
    @Override
    long compute(long x, long y) {
      return x - y;
    }
  },
  MULTIPLY {
    @Override
    long compute(long x, long y) {
      return x * y;
    }
  },
  DIVIDE {
    @Override
    long compute(long x, long y) {
      return y == 0 ? NONE : x / y;
    }
  },
  REMAINDER {
    @Override
    long compute(long x, long y) {
      return y == 0 ? NONE : x % y;
    }
  };

  /** Beyond what 32 bits hold, as any other result that there is not. */
  private static final long NONE = Long.MAX_VALUE;

  abstract long compute(long x, long y);

  /**
   * Casts both to integers. What 32 bits do not hold is a MATH failure with 0: the specification
   * leaves it open, and a filter had better not match than match by a number that wrapped around.
   */
  Object apply(Object left, Object right) {
    Object x = Type.INTEGER.cast(left);
    if (x instanceof Failure) {
      return x;
    }
    Object y = Type.INTEGER.cast(right);
    if (y instanceof Failure) {
      return y;
    }
    long result = compute((Integer) x, (Integer) y);
    return result == (int) result
        ? (Object) (int) result
        : Failure.of(CesqlError.MATH, Type.INTEGER);
  }
}
