package dev.troupe.server.event.cesql;

import static dev.troupe.server.event.cesql.Type.BOOLEAN;
import static dev.troupe.server.event.cesql.Type.INTEGER;
import static dev.troupe.server.event.cesql.Type.STRING;

import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** A built-in function. Characters are Unicode characters, and the first is number 1. */
final class Function {

  private static final List<Function> ALL =
      List.of(
          new Function("ABS", INTEGER, args -> abs((Integer) args[0]), INTEGER),
          // What these return is what casting the argument to the parameter's type made of it.
          new Function("INT", INTEGER, args -> args[0], INTEGER),
          new Function("BOOL", BOOLEAN, args -> args[0], BOOLEAN),
          new Function("STRING", STRING, args -> args[0], STRING),
          new Function("LENGTH", INTEGER, args -> length((String) args[0]), STRING),
          new Function(
              "LOWER", STRING, args -> ((String) args[0]).toLowerCase(Locale.ROOT), STRING),
          new Function(
              "UPPER", STRING, args -> ((String) args[0]).toUpperCase(Locale.ROOT), STRING),
          new Function("TRIM", STRING, args -> trim((String) args[0]), STRING),
          new Function(
              "LEFT", STRING, args -> left((String) args[0], (Integer) args[1]), STRING, INTEGER),
          new Function(
              "RIGHT", STRING, args -> right((String) args[0], (Integer) args[1]), STRING, INTEGER),
          new Function(
              "SUBSTRING",
              STRING,
              args -> substring((String) args[0], (Integer) args[1], Integer.MAX_VALUE),
              STRING,
              INTEGER),
          new Function(
              "SUBSTRING",
              STRING,
              args -> substring((String) args[0], (Integer) args[1], (Integer) args[2]),
              STRING,
              INTEGER,
              INTEGER),
          variadic("CONCAT", 0, args -> join("", args, 0)),
          variadic("CONCAT_WS", 1, args -> join((String) args[0], args, 1)));

  private final String name;
  private final Type result;
  private final Body body;
  private final Type[] parameters;
  private final int least;
  private final int most;

  private interface Body {
    /** Takes arguments of the parameters' types; returns a value of the result's, or a failure. */
    Object apply(Object[] arguments);
  }

  private Function(String name, Type result, Body body, Type... parameters) {
    this(name, result, body, parameters.length, parameters.length, parameters);
  }

  private Function(String name, Type result, Body body, int least, int most, Type... parameters) {
    this.name = name;
    this.result = result;
    this.body = body;
    this.least = least;
    this.most = most;
    this.parameters = parameters;
  }

  /** A function of any number of strings that returns one. */
  private static Function variadic(String name, int least, Body body) {
    return new Function(name, STRING, body, least, Integer.MAX_VALUE, STRING);
  }

  /** The function of that name, in capitals, that takes so many arguments; null if none does. */
  static @Nullable Function find(String name, int arguments) {
    for (Function function : ALL) {
      if (function.name.equals(name) && arguments >= function.least && arguments <= function.most) {
        return function;
      }
    }
    return null;
  }

  /** How many arguments the functions of that name take, in words; empty if there is none. */
  static String arities(String name) {
    StringBuilder words = new StringBuilder();
    for (Function function : ALL) {
      if (function.name.equals(name)) {
        words
            .append(words.isEmpty() ? "" : " or ")
            .append(function.least)
            .append(function.most > function.least ? " or more" : "");
      }
    }
    return words.toString();
  }

  Type result() {
    return result;
  }

  /** The type of the i-th parameter, from 0. */
  Type parameter(int i) {
    return parameters[Math.min(i, parameters.length - 1)];
  }

  /** Takes arguments of the parameters' types. */
  Object apply(Object[] arguments) {
    return body.apply(arguments);
  }

  private static Object abs(int number) {
    return number == Integer.MIN_VALUE
        ? new Failure(CesqlError.MATH, Integer.MAX_VALUE)
        : (Object) Math.abs(number);
  }

  private static int length(String text) {
    return text.codePointCount(0, text.length());
  }

  private static Object left(String text, int count) {
    if (count < 0) {
      return new Failure(CesqlError.FUNCTION_EVALUATION, text);
    }
    return count >= length(text) ? text : text.substring(0, text.offsetByCodePoints(0, count));
  }

  private static Object right(String text, int count) {
    if (count < 0) {
      return new Failure(CesqlError.FUNCTION_EVALUATION, text);
    }
    return count >= length(text)
        ? text
        : text.substring(text.offsetByCodePoints(text.length(), -count));
  }

  private static Object substring(String text, int position, int count) {
    int length = length(text);
    if (position > length || position < -length || count < 0) {
      return Failure.of(CesqlError.FUNCTION_EVALUATION, STRING);
    }
    if (position == 0) {
      return "";
    }
    int first = position > 0 ? position - 1 : length + position;
    int start = text.offsetByCodePoints(0, first);
    return count >= length - first
        ? text.substring(start)
        : text.substring(start, text.offsetByCodePoints(start, count));
  }

  private static String trim(String text) {
    int start = 0;
    int end = text.length();
    while (start < end && isWhitespace(text.charAt(start))) {
      start++;
    }
    while (start < end && isWhitespace(text.charAt(end - 1))) {
      end--;
    }
    return text.substring(start, end);
  }

  /** As Unicode has it: the separators, and the six control characters that count as space. */
  private static boolean isWhitespace(char c) {
    return Character.isSpaceChar(c) || (c >= '\t' && c <= '\r') || c == '\u0085';
  }

  private static String join(String delimiter, Object[] parts, int from) {
    StringBuilder joined = new StringBuilder();
    for (int i = from; i < parts.length; i++) {
      joined.append(i == from ? "" : delimiter).append((String) parts[i]);
    }
    return joined.toString();
  }
}
