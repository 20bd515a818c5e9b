package dev.troupe.server.cli;

import com.google.common.base.Ticker;
import dev.troupe.server.config.DurationText;
import io.grpc.StatusRuntimeException;
import java.nio.file.NoSuchFileException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.RunLast;
import picocli.CommandLine.TypeConversionException;
import picocli.CommandLine.UnmatchedArgumentException;

/** The whole command line, put together. */
public final class TroupeCli {

  private final CommandLine root;
  private final Console console;

  /**
   * Creates the command line.
   *
   * @param schemas the settings that {@code serve} takes
   * @param environment the variables that settings may come from
   */
  public TroupeCli(
      Console console,
      List<? extends Class<? extends Record>> schemas,
      Map<String, String> environment,
      ServerLauncher launcher) {
    this.console = console;
    this.root = new CommandLine(new TroupeCommand());
    Supplier<String> completion = () -> AutoComplete.bash("troupe", root);
    CommandLine serve = new CommandLine(new ServeCommand(console, schemas, environment, launcher));
    serve.getCommandSpec().usageMessage().footer(ServeCommand.help(schemas));
    CommandLine events =
        new CommandLine(new EventsCommand(console))
            .addSubcommand(new TopicsCommand(console))
            .addSubcommand(new GroupsCommand(console))
            .addSubcommand(new ConsumeCommand(console, Ticker.systemTicker()))
            .addSubcommand(new HistoryCommands.History(console))
            .addSubcommand(new HistoryCommands.Replay(console));
    CommandLine memory =
        new CommandLine(new MemoryCommand(console))
            .addSubcommand(new MemorySettingsCommand(console))
            .addSubcommand(new SpacesCommand(console))
            .addSubcommand(new ConversationsCommand(console))
            .addSubcommand(new MemoryChangeCommands.Update(console))
            .addSubcommand(new MemoryChangeCommands.Promote(console));
    root.addSubcommand(serve)
        .addSubcommand(new AgentsCommand(console))
        .addSubcommand(new QueuesCommand(console))
        .addSubcommand(new TasksCommand(console, Ticker.systemTicker()))
        .addSubcommand(events)
        .addSubcommand(new LocksCommand(console))
        .addSubcommand(memory)
        .addSubcommand(new DoctorCommand(console, environment))
        .addSubcommand(new CompletionCommand(console, completion));
    tellVersion(root);
    commands().forEach(TroupeCli::explainDurations);
    root.registerConverter(Duration.class, TroupeCli::duration)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setDefaultValueProvider(ServerOptions.defaults(environment))
        .setOut(console.out())
        .setErr(console.err())
        .setColorScheme(CommandLine.Help.defaultColorScheme(Ansi.AUTO))
        .setParameterExceptionHandler(new WrongUsage(console.err()))
        .setExecutionStrategy(TroupeCli::runKnown)
        .setExecutionExceptionHandler(this::failed);
  }

  /** With --help picocli passes over what it does not know, such as a mistyped command. */
  private static int runKnown(ParseResult parsed) {
    for (ParseResult at = parsed; at != null; at = at.subcommand()) {
      // A command that takes anything looks at it by itself.
      if (!at.unmatched().isEmpty() && at.commandSpec().unmatchedArgsBindings().isEmpty()) {
        throw new UnmatchedArgumentException(at.commandSpec().commandLine(), at.unmatched());
      }
    }
    return new RunLast().execute(parsed);
  }

  private static Duration duration(String text) {
    try {
      return DurationText.parse(text);
    } catch (IllegalArgumentException e) {
      throw new TypeConversionException(e.getMessage());
    }
  }

  /** Runs one command line and returns the exit status. */
  public int run(String... arguments) {
    return root.execute(arguments);
  }

  /** All commands, each before those under it. */
  List<CommandSpec> commands() {
    List<CommandSpec> specs = new ArrayList<>();
    collect(root, specs);
    return specs;
  }

  private static void collect(CommandLine command, List<CommandSpec> specs) {
    specs.add(command.getCommandSpec());
    command.getSubcommands().values().forEach(below -> collect(below, specs));
  }

  private int failed(Exception failure, CommandLine command, ParseResult parsed) {
    if (failure instanceof StatusRuntimeException refused) {
      Failures.print(refused, command, console.err());
      return Failures.exitStatus(refused.getStatus());
    }
    Failures.print(message(failure), command, console.err());
    return failure instanceof UsageException || failure instanceof NoSuchFileException
        ? ExitStatus.USAGE
        : ExitStatus.REFUSED;
  }

  private static String message(Exception failure) {
    if (failure instanceof UsageException) {
      return String.valueOf(failure.getMessage());
    }
    return failure instanceof NoSuchFileException
        ? "no such file: " + failure.getMessage()
        : failure.toString();
  }

  /** At the end of the help, once for all options that take one; what --timeout takes it says. */
  private static void explainDurations(CommandSpec command) {
    if (command.options().stream()
        .filter(option -> !option.longestName().equals("--timeout"))
        .anyMatch(option -> option.paramLabel().equals("DURATION"))) {
      command.usageMessage().footer("", "DURATION: " + DurationText.EXAMPLES + ".");
    }
  }

  /** Every command tells the version, as each has the option for it. */
  private static void tellVersion(CommandLine command) {
    command.getCommandSpec().versionProvider(new TroupeCommand.Version());
    command.getSubcommands().values().forEach(TroupeCli::tellVersion);
  }
}
