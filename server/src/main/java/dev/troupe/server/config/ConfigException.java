package dev.troupe.server.config;

import java.util.List;

/** The configuration cannot be used: everything that is wrong with it, each with its source. */
public final class ConfigException extends RuntimeException {

  private final List<String> problems;

  ConfigException(List<String> problems) {
    super(message(problems));
    this.problems = List.copyOf(problems);
  }

  /** In one line, when there is only one. */
  private static String message(List<String> problems) {
    return problems.size() == 1
        ? "the configuration is wrong: " + problems.get(0)
        : "the configuration has "
            + problems.size()
            + " problems:\n  "
            + String.join("\n  ", problems);
  }

  public List<String> problems() {
    return problems;
  }
}
