package dev.troupe.server.config;

import java.util.List;

/** The configuration cannot be used: everything that is wrong with it, each with its source. */
public final class ConfigException extends RuntimeException {

  private final List<String> problems;

  ConfigException(List<String> problems) {
    super("the configuration has " + problems.size() + " problem(s):\n  " + lines(problems));
    this.problems = List.copyOf(problems);
  }

  private static String lines(List<String> problems) {
    return String.join("\n  ", problems);
  }

  public List<String> problems() {
    return problems;
  }
}
