package dev.troupe.server.config;

import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** Turns the text of a setting into the value that its record component holds. */
final class SettingReader {

  private SettingReader() {}

  /**
   * Reads the text.
   *
   * @throws IllegalArgumentException when it is malformed; the message says what is expected
   */
  static Object read(Type type, String text) {
    String value = text.strip();
    if (type instanceof ParameterizedType generic) {
      Type argument = generic.getActualTypeArguments()[0];
      if (generic.getRawType() == Optional.class) {
        return value.isEmpty() ? Optional.empty() : Optional.of(read(argument, value));
      }
      if (generic.getRawType() == List.class) {
        return value.isEmpty()
            ? List.of()
            : Arrays.stream(value.split(",", -1)).map(item -> read(argument, item)).toList();
      }
    }
    try {
      return scalar(type, value);
    } catch (IllegalArgumentException malformed) {
      throw new IllegalArgumentException("expected: " + expectation(type), malformed);
    }
  }

  private static Object scalar(Type type, String value) {
    if (type == String.class) {
      return value;
    } else if (type == int.class) {
      return Integer.valueOf(value);
    } else if (type == long.class) {
      return Long.valueOf(value);
    } else if (type == double.class) {
      return finite(Double.parseDouble(value));
    } else if (type == boolean.class) {
      return truth(value);
    } else if (type == Duration.class) {
      return DurationText.parse(value);
    } else if (type == DataSize.class) {
      return DataSize.parse(value);
    } else if (type == Path.class) {
      return path(value);
    } else if (type instanceof Class<?> choice && choice.isEnum()) {
      return constant(choice, value);
    }
    throw new IllegalStateException("a setting cannot be of type " + type.getTypeName());
  }

  private static Double finite(double value) {
    if (!Double.isFinite(value)) {
      throw new NumberFormatException("not a finite number");
    }
    return value;
  }

  private static Boolean truth(String value) {
    return switch (value.toLowerCase(Locale.ROOT)) {
      case "true", "yes", "on" -> true;
      case "false", "no", "off" -> false;
      default -> throw new IllegalArgumentException("neither true nor false");
    };
  }

  private static Path path(String value) {
    String home = System.getProperty("user.home", "");
    try {
      return value.startsWith("~/") ? Path.of(home, value.substring(2)) : Path.of(value);
    } catch (InvalidPathException e) {
      throw new IllegalArgumentException("not a path", e);
    }
  }

  private static Object constant(Class<?> choice, String value) {
    String wanted = value.replace('-', '_');
    for (Object candidate : choice.getEnumConstants()) {
      if (((Enum<?>) candidate).name().equalsIgnoreCase(wanted)) {
        return candidate;
      }
    }
    throw new IllegalArgumentException("no such choice");
  }

  /** What may be written, in a word. */
  static String kind(Type type) {
    if (type instanceof ParameterizedType generic) {
      String inner = kind(generic.getActualTypeArguments()[0]);
      return generic.getRawType() == List.class ? inner + ",…" : inner;
    }
    if (type == int.class || type == long.class || type == double.class) {
      return "number";
    }
    if (type instanceof Class<?> choice && choice.isEnum()) {
      return choices(choice, "|");
    }
    if (type == DataSize.class) {
      return "size";
    }
    return type instanceof Class<?> named
        ? named.getSimpleName().toLowerCase(Locale.ROOT)
        : type.getTypeName();
  }

  private static String expectation(Type type) {
    if (type == int.class) {
      return "a whole number from " + Integer.MIN_VALUE + " to " + Integer.MAX_VALUE;
    } else if (type == long.class) {
      return "a whole number";
    } else if (type == double.class) {
      return "a number";
    } else if (type == boolean.class) {
      return "true or false";
    } else if (type == Duration.class) {
      return DurationText.EXPECTED;
    } else if (type == DataSize.class) {
      return DataSize.EXPECTED;
    } else if (type instanceof Class<?> choice && choice.isEnum()) {
      return "one of " + choices(choice, ", ");
    }
    return "a " + kind(type);
  }

  private static String choices(Class<?> choice, String separator) {
    return Arrays.stream(choice.getEnumConstants())
        .map(constant -> ((Enum<?>) constant).name().toLowerCase(Locale.ROOT).replace('_', '-'))
        .collect(Collectors.joining(separator));
  }
}
