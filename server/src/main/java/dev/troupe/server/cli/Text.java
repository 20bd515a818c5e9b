package dev.troupe.server.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.ByteString;
import com.google.protobuf.Duration;
import com.google.protobuf.Timestamp;
import dev.troupe.server.config.DurationText;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Values as the tables show them. */
final class Text {

  private static final String NOTHING = "-";

  private Text() {}

  /** The text without control characters: data must not steer the reader's terminal. */
  static String printable(String text) {
    if (text.isEmpty()) {
      return NOTHING;
    }
    return text.codePoints()
        .map(c -> Character.isISOControl(c) ? ' ' : c)
        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
        .toString();
  }

  static int width(String text) {
    return text.codePointCount(0, text.length());
  }

  static String of(Timestamp time) {
    if (time.equals(Timestamp.getDefaultInstance())) {
      return NOTHING;
    }
    return Instant.ofEpochSecond(time.getSeconds(), time.getNanos())
        .truncatedTo(ChronoUnit.MILLIS)
        .toString();
  }

  static String of(Duration duration) {
    return duration.getSeconds()
        + (duration.getNanos() == 0
            ? ""
            : String.format(Locale.ROOT, ".%03d", duration.getNanos() / 1_000_000))
        + "s";
  }

  /** A duration that somebody set, in the form that options take. */
  static String setting(Duration duration) {
    return DurationText.of(
        java.time.Duration.ofSeconds(duration.getSeconds(), duration.getNanos()));
  }

  static String of(Map<String, String> labels) {
    return new TreeMap<>(labels)
        .entrySet().stream()
            .map(label -> label.getKey() + "=" + label.getValue())
            .collect(Collectors.joining(","));
  }

  /** Bytes as text if that is what they are, else their number. */
  static String of(ByteString bytes) {
    return bytes.isValidUtf8() ? bytes.toString(UTF_8) : bytes.size() + " bytes";
  }

  /** An enum constant without the prefix that Protobuf asks for: {@code READY}. */
  static String of(Enum<?> constant) {
    String prefix =
        constant.getDeclaringClass().getSimpleName().replaceAll("(?<=[a-z])(?=[A-Z])", "_") + "_";
    String name = constant.name();
    return name.startsWith(prefix.toUpperCase(Locale.ROOT))
        ? name.substring(prefix.length())
        : name;
  }
}
