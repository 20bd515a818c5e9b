package dev.troupe.server.event.cesql;

import java.util.Locale;

/** The types of the language, and what becomes of a value of one in another. */
enum Type {
  STRING("String", "") {
    @Override
    Object convert(Object value) {
      return value.toString();
    }
  },
  INTEGER("Integer", 0) {
    @Override
    Object convert(Object value) {
      return value instanceof Boolean truth ? (Object) (truth ? 1 : 0) : parse((String) value);
    }
  },
  BOOLEAN("Boolean", false) {
    @Override
    Object convert(Object value) {
      if (value instanceof Integer number) {
        return number != 0;
      }
      String text = (String) value;
      // The longest that can be meant is five letters: no long text is copied just to be refused.
      return switch (text.length() > 5 ? text : text.toLowerCase(Locale.ROOT)) {
        case "true" -> true;
        case "false" -> false;
        default -> Failure.of(CesqlError.CAST, this);
      };
    }
  };

  private final String title;
  private final Object zero;

  Type(String title, Object zero) {
    this.title = title;
    this.zero = zero;
  }

  /** The type of a value that is no failure. */
  static Type of(Object value) {
    return value instanceof String ? STRING : value instanceof Integer ? INTEGER : BOOLEAN;
  }

  /** The value that stands for "none". */
  Object zero() {
    return zero;
  }

  /** The value in this type, or a failure with this type's zero value. */
  Object cast(Object value) {
    if (value instanceof Failure failure) {
      return failure.as(this);
    }
    return of(value) == this ? value : convert(value);
  }

  /** Turns a value of another type into this one. */
  abstract Object convert(Object value);

  /** Without an exception for what is no number: text that is none is as likely as one. */
  private static Object parse(String text) {
    int start = text.startsWith("-") || text.startsWith("+") ? 1 : 0;
    long magnitude = start == text.length() ? Long.MAX_VALUE : 0;
    for (int i = start; i < text.length() && magnitude <= 1L << 31; i++) {
      int digit = text.charAt(i) - '0';
      magnitude = digit >= 0 && digit <= 9 ? magnitude * 10 + digit : Long.MAX_VALUE;
    }
    long number = text.startsWith("-") ? -magnitude : magnitude;
    return number == (int) number ? (Object) (int) number : Failure.of(CesqlError.CAST, INTEGER);
  }

  @Override
  public String toString() {
    return title;
  }
}
