package dev.troupe.server.cli;

import dev.troupe.server.config.DurationText;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * Says in one line what is wrong with a command line, and where its help is. Only a command that
 * lacks the one under it is answered with the help itself, as that lists them.
 */
final class WrongUsage implements IParameterExceptionHandler {

  private final PrintWriter err;

  WrongUsage(PrintWriter err) {
    this.err = err;
  }

  @Override
  public int handleParseException(ParameterException wrong, String[] arguments) {
    CommandLine command = wrong.getCommandLine();
    if (ServerOptions.of(command).output == OutputFormat.JSON) {
      Failures.print(message(wrong), command, err);
      return ExitStatus.USAGE;
    }
    err.println(message(wrong));
    if (lacksCommand(wrong)) {
      command.usage(err);
    } else {
      UnmatchedArgumentException.printSuggestions(wrong, err);
      err.println("see `" + command.getCommandSpec().qualifiedName() + " --help`");
    }
    err.flush();
    return ExitStatus.USAGE;
  }

  private static boolean lacksCommand(ParameterException wrong) {
    return wrong.getArgSpec() == null
        && !(wrong instanceof UnmatchedArgumentException)
        && !wrong.getCommandLine().getSubcommands().isEmpty();
  }

  private static String message(ParameterException wrong) {
    ArgSpec argument = wrong.getArgSpec();
    if (argument == null || wrong.getValue() == null) {
      return String.valueOf(wrong.getMessage());
    }
    String expected = expected(argument);
    return expected.isEmpty()
        ? String.valueOf(wrong.getMessage())
        : name(argument) + ": " + wrong.getValue() + " (expected: " + expected + ")";
  }

  private static String name(ArgSpec argument) {
    return argument instanceof OptionSpec option ? option.longestName() : argument.paramLabel();
  }

  /** What may be written; empty when nobody but picocli knows. */
  private static String expected(ArgSpec argument) {
    List<Class<?>> types = List.of(argument.auxiliaryTypes());
    Class<?> type = types.get(types.size() - 1);
    if (type == Duration.class) {
      return DurationText.EXPECTED;
    }
    if (type == int.class || type == long.class || type == Integer.class || type == Long.class) {
      return "a whole number";
    }
    if (type == float.class || type == double.class || type == Float.class) {
      return "a number";
    }
    if (type.isEnum()) {
      return Arrays.stream(type.getEnumConstants())
          .map(constant -> ((Enum<?>) constant).name().toLowerCase(Locale.ROOT))
          .collect(Collectors.joining(", "));
    }
    return "";
  }
}
