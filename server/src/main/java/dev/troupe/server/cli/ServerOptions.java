package dev.troupe.server.cli;

import java.time.Duration;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The options of every command that talks to a server. */
final class ServerOptions {

  private static final String OPTION = "--server";
  private static final String VARIABLE = "TROUPE_SERVER";

  /** A host or an address in brackets, with a port; or gRPC's own way to name a server. */
  private static final Pattern SERVER =
      Pattern.compile(
          "([^:/\\[\\]\\s]+|\\[[0-9A-Fa-f:.%]+]):"
              + "(\\d{1,4}|[1-5]\\d{4}|6[0-4]\\d{3}|65[0-4]\\d\\d|655[0-2]\\d|6553[0-5])"
              + "|(dns|unix):.+");

  private static final Duration USUAL_TIMEOUT = Duration.ofSeconds(30);

  /** What connecting and an answer may take beyond the wait that it was asked for. */
  static final Duration MARGIN = Duration.ofSeconds(2);

  @Option(
      names = OPTION,
      paramLabel = "HOST:PORT",
      defaultValue = "localhost:7070",
      description = "The server to talk to (default: " + VARIABLE + ", else localhost:7070).")
  String server = "localhost:7070";

  @Option(
      names = {"-n", "--namespace"},
      paramLabel = "NAME",
      defaultValue = "",
      description = "The namespace (default: \"default\").")
  String namespace = "";

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      defaultValue = "table",
      description = "table, or json: one document per line (default: ${DEFAULT-VALUE}).")
  OutputFormat output = OutputFormat.TABLE;

  @Option(
      names = "--timeout",
      paramLabel = "DURATION",
      description = "How long it may take, such as 500ms or 2m (default: 30s; streams: no end).")
  @Nullable Duration timeout;

  @Spec(Spec.Target.MIXEE)
  @Nullable CommandSpec command;

  /** What stands for options that are not given, where the environment says something. */
  static CommandLine.IDefaultValueProvider defaults(Map<String, String> environment) {
    String server = environment.getOrDefault(VARIABLE, "");
    return argument ->
        argument instanceof OptionSpec option && option.longestName().equals(OPTION)
            ? (server.isEmpty() ? null : server)
            : null;
  }

  Duration timeoutOrUsual() {
    return timeout == null ? USUAL_TIMEOUT : timeout;
  }

  /** How long to wait for something to come about: as long as asked, but not beyond the timeout. */
  Duration waiting(Duration asked) {
    return timeout != null && timeout.compareTo(asked) < 0 ? timeout : asked;
  }

  /**
   * The timeout of a call that waits that long. It leaves time for the answer that the wait was in
   * vain.
   */
  Duration timeoutWaiting(Duration asked) {
    if (timeout == null || asked.isZero()) {
      return timeoutOrUsual().plus(asked);
    }
    Duration answered = waiting(asked).plus(MARGIN);
    return answered.compareTo(timeout) > 0 ? answered : timeout;
  }

  /**
   * Connects.
   *
   * @throws UsageException when the server is not named as it has to be
   */
  Connection connect() {
    if (!SERVER.matcher(server).matches()) {
      throw new UsageException(
          (isGiven() ? OPTION : VARIABLE) + ": " + server + " (expected: HOST:PORT)");
    }
    return new Connection(server);
  }

  private boolean isGiven() {
    return command == null || command.commandLine().getParseResult().hasMatchedOption(OPTION);
  }

  /** What was given to a command; as if nothing was, when it talks to no server. */
  static ServerOptions of(CommandLine command) {
    for (CommandSpec mixin : command.getCommandSpec().mixins().values()) {
      if (mixin.userObject() instanceof ServerOptions options) {
        return options;
      }
    }
    return new ServerOptions();
  }
}
