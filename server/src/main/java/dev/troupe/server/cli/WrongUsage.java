package dev.troupe.server.cli;

import dev.troupe.server.config.DurationText;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.MissingParameterException;
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
    if (lacksValue(wrong)) {
      ArgSpec option = ((MissingParameterException) wrong).getMissing().get(0);
      String expected = expected(option);
      return name(option)
          + ": a value is missing"
          + (expected.isEmpty() ? "" : " (expected: " + expected + ")");
    }
    ArgSpec argument = wrong.getArgSpec();
    if (argument == null || wrong.getValue() == null) {
      return String.valueOf(wrong.getMessage());
    }
    String expected = expected(argument);
    return expected.isEmpty()
        ? String.valueOf(wrong.getMessage())
        : name(argument) + ": " + wrong.getValue() + " (expected: " + expected + ")";
  }

  /** Whether an option was given, but nothing behind it, or another option. */
  private static boolean lacksValue(ParameterException wrong) {
    return wrong instanceof MissingParameterException missing
        && missing.getMissing().size() == 1
        && String.valueOf(wrong.getMessage()).contains("parameter for option");
  }

  private static String name(ArgSpec argument) {
    return argument instanceof OptionSpec option ? option.longestName() : argument.paramLabel();
  }

  /** What may be written; empty when nobody but picocli knows. */
  private static String expected(ArgSpec argument) {
    if (argument.isMultiValue() && Map.class.isAssignableFrom(argument.type())) {
      return "KEY=VALUE";
    }
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
