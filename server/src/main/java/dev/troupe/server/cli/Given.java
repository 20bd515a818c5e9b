package dev.troupe.server.cli;

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

  static List<String> list(@Nullable List<String> values) {
    return values == null ? List.of() : values;
  }

  static Map<String, String> map(@Nullable Map<String, String> values) {
    return values == null ? Map.of() : values;
  }
}
