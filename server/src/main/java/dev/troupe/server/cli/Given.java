package dev.troupe.server.cli;

import dev.troupe.server.config.DataSize;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What was given: repeatable options, which picocli leaves null when they were not, and limits. */
final class Given {

  private Given() {}

  /** Refuses a limit that means nothing. */
  static void limit(long limit) {
    if (limit < 0) {
      throw new UsageException("--limit: " + limit + " (expected: 0 or more)");
    }
  }

  /** A number of bytes; 0 stands for the default. */
  static long bytes(String option, String text) {
    try {
      return DataSize.parse(text).bytes();
    } catch (IllegalArgumentException e) {
      throw new UsageException(option + ": " + e.getMessage());
    }
  }

  static List<String> list(@Nullable List<String> values) {
    return values == null ? List.of() : values;
  }

  static Map<String, String> map(@Nullable Map<String, String> values) {
    return values == null ? Map.of() : values;
  }
}
