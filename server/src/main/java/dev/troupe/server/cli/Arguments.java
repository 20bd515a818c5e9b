package dev.troupe.server.cli;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** What the fields of the contract are called on the command line. */
final class Arguments {

  /** Fields that commands call by words of their own; the first that a command has is meant. */
  private static final Map<String, List<String>> ELSEWISE =
      Map.ofEntries(
          Map.entry("agent-ids", List.of("id")),
          Map.entry("all-tags", List.of("tag")),
          Map.entry("before-turn", List.of("before")),
          Map.entry("cesql", List.of("where")),
          Map.entry("content", List.of("text")),
          Map.entry("datacontenttype", List.of("content-type")),
          Map.entry("durability", List.of("replicated")),
          Map.entry("end-time", List.of("until")),
          Map.entry("keep-turns", List.of("keep")),
          Map.entry("last-turn", List.of("up-to")),
          Map.entry("long-tier-lifetime", List.of("long-lifetime")),
          Map.entry("max-tasks", List.of("max")),
          Map.entry("max-turns", List.of("last")),
          Map.entry("min-revision", List.of("revision")),
          Map.entry("resume-token", List.of("from")),
          Map.entry("short-tier-lifetime", List.of("short-lifetime")),
          Map.entry("start", List.of("from", "to")),
          Map.entry("start-time", List.of("since", "from")),
          Map.entry("subject-prefix", List.of("subject")),
          Map.entry("task-id", List.of("id")),
          Map.entry("tier", List.of("to")),
          Map.entry("to-topic", List.of("to")),
          Map.entry("top-k", List.of("limit")),
          Map.entry("topic-positions", List.of("position")),
          Map.entry("wait", List.of("timeout")),
          Map.entry("working-tier-lifetime", List.of("working-lifetime")));

  private Arguments() {}

  /**
   * The option or parameter that a field was given by; the field itself when there is none. What a
   * field is part of is asked after itself: {@code start.time} is given by what gives the start.
   */
  static String of(CommandSpec command, String field) {
    // What is in brackets is a place in a list or a key, which may have dots; " key" is about keys.
    String path = field.replaceAll("\\[.*?]", "").replaceAll(" key$", "").replace('_', '-');
    List<String> parts = new ArrayList<>(List.of(path.split("\\.")));
    Collections.reverse(parts);
    for (int i = 0; i < parts.size(); i++) {
      String within = i + 1 < parts.size() ? parts.get(i + 1) + "-" + parts.get(i) : "";
      for (String candidate : words(parts.get(i), within)) {
        String found = find(command, candidate);
        if (!found.isEmpty()) {
          return found;
        }
      }
    }
    return path.equals("name") && !command.positionalParameters().isEmpty()
        ? command.positionalParameters().get(0).paramLabel()
        : field;
  }

  /** What a part of a path may be called, alone and within the part before it. */
  private static List<String> words(String part, String within) {
    List<String> words = new ArrayList<>(List.of(part));
    words.addAll(ELSEWISE.getOrDefault(within, List.of()));
    words.addAll(ELSEWISE.getOrDefault(part, List.of()));
    words.addAll(
        List.of(
            part.replaceAll("ies$", "y"),
            part.replaceAll("s$", ""),
            part.replaceAll("es$", ""),
            part.replaceAll("-ids?$", "")));
    return words;
  }

  private static String find(CommandSpec command, String word) {
    for (OptionSpec option : command.options()) {
      if (List.of(option.names()).contains("--" + word)) {
        return "--" + word;
      }
    }
    for (PositionalParamSpec parameter : command.positionalParameters()) {
      if (parameter.paramLabel().equalsIgnoreCase(word)) {
        return parameter.paramLabel();
      }
    }
    return "";
  }
}
