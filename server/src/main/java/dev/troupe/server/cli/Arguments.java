package dev.troupe.server.cli;

import java.util.List;
import java.util.Map;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** What the fields of the contract are called on the command line. */
final class Arguments {

  /** Fields that the command line calls by words of its own. */
  private static final Map<String, String> ELSEWISE =
      Map.of("cesql", "where", "subject-prefix", "subject");

  private Arguments() {}

  /** The option or parameter that a field was given by; the field itself when there is none. */
  static String of(CommandSpec command, String field) {
    String word =
        field.substring(field.lastIndexOf('.') + 1).replaceAll("\\[.*", "").replace('_', '-');
    List<String> words =
        List.of(
            word,
            ELSEWISE.getOrDefault(word, word),
            word.replaceAll("ies$", "y"),
            word.replaceAll("s$", ""),
            word.replaceAll("es$", ""),
            word.replaceAll("-id$", ""));
    for (String candidate : words) {
      for (OptionSpec option : command.options()) {
        if (List.of(option.names()).contains("--" + candidate)) {
          return "--" + candidate;
        }
      }
      for (PositionalParamSpec parameter : command.positionalParameters()) {
        if (parameter.paramLabel().equalsIgnoreCase(candidate)) {
          return parameter.paramLabel();
        }
      }
    }
    return word.equals("name") && !command.positionalParameters().isEmpty()
        ? command.positionalParameters().get(0).paramLabel()
        : field;
  }
}
