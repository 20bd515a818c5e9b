package dev.troupe.server.cli;

import dev.troupe.server.config.Config;
import dev.troupe.server.config.ConfigException;
import dev.troupe.server.config.ConfigLoader;
import dev.troupe.server.config.ConfigSchema;
import dev.troupe.server.config.DataSize;
import dev.troupe.server.config.DurationText;
import dev.troupe.server.config.SettingSpec;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Unmatched;

/** {@code troupe serve}: runs a server until it is told to stop. */
@Command(
    name = "serve",
    mixinStandardHelpOptions = true,
    description = "Runs a server until it is told to stop.",
    footerHeading = "%nSettings, in the order default < file < environment < flag:%n")
final class ServeCommand implements Callable<Integer> {

  private static final int COLUMNS = 79;
  private static final String INDENT = " ".repeat(8);
  private static final Path USUAL_FILE = Path.of("troupe.properties");

  private final Console console;
  private final List<? extends Class<? extends Record>> schemas;
  private final Map<String, String> environment;
  private final ServerLauncher launcher;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "Settings, a line each: name=value (default: ./troupe.properties if present).")
  Optional<Path> file = Optional.empty();

  @Option(names = "--port", paramLabel = "PORT", description = "The same as --grpc.port.")
  Optional<String> port = Optional.empty();

  @Option(names = "--data-dir", paramLabel = "DIR", description = "The same as --redis.data-dir.")
  Optional<String> dataDirectory = Optional.empty();

  @Option(names = "--print-config", description = "Print the settings in force, and end.")
  boolean printOnly;

  @Unmatched List<String> settings = new ArrayList<>();

  ServeCommand(
      Console console,
      List<? extends Class<? extends Record>> schemas,
      Map<String, String> environment,
      ServerLauncher launcher) {
    this.console = console;
    this.schemas = schemas;
    this.environment = environment;
    this.launcher = launcher;
  }

  @Override
  public Integer call() throws InterruptedException {
    Config config;
    try {
      config = load();
    } catch (ConfigException e) {
      console.err().println(e.getMessage());
      console.err().flush();
      return ExitStatus.USAGE;
    }
    if (printOnly) {
      console.out().print(config.describe());
      console.out().flush();
      return ExitStatus.OK;
    }
    return run(config);
  }

  private Config load() {
    ConfigLoader loader = ConfigLoader.of(schemas).environment(environment);
    file.ifPresentOrElse(loader::file, () -> loader.fileIfPresent(USUAL_FILE));
    List<String> flags = new ArrayList<>(settings);
    port.ifPresent(value -> flags.add("--grpc.port=" + value));
    dataDirectory.ifPresent(value -> flags.add("--redis.data-dir=" + value));
    return loader.flags(flags).load();
  }

  private int run(Config config) throws InterruptedException {
    String changed = config.describeChanged();
    console.out().print(changed);
    console
        .out()
        .println(
            (changed.isEmpty() ? "all settings" : "all other settings")
                + " are the defaults; troupe serve --print-config shows them");
    console.out().flush();
    ServerLauncher.Running server;
    try {
      server = launcher.launch(config);
    } catch (InterruptedException e) {
      throw e;
    } catch (Exception e) {
      console.err().println("the server did not start: " + e.getMessage());
      console.err().flush();
      return ExitStatus.REFUSED;
    }
    console.out().println("listening on " + server.host() + ":" + server.port());
    server.facts().forEach(console.out()::println);
    console.out().println("try: grpcurl -plaintext localhost:" + server.port() + " list");
    console.out().flush();
    CountDownLatch stopped = new CountDownLatch(1);
    server.stopped().whenComplete((done, failure) -> stopped.countDown());
    stopped.await();
    return ExitStatus.OK;
  }

  /** The settings for the end of the help, a line each. */
  static String[] help(List<? extends Class<? extends Record>> schemas) {
    List<String> lines = new ArrayList<>();
    lines.add("A duration is " + DurationText.EXAMPLES + ",");
    lines.add("a size " + DataSize.EXAMPLES + ".");
    for (ConfigSchema schema : ConfigSchema.of(schemas)) {
      for (SettingSpec setting : schema.settings()) {
        // picocli formats these lines, so a percent sign would be taken for a directive.
        lines.add(("  --" + setting.name() + "=<" + setting.kind() + ">").replace("%", "%%"));
        String fallback = setting.fallback().isEmpty() ? "none" : setting.fallback();
        String help = setting.help().replaceAll("\\.$", "") + ". Default: " + fallback + ".";
        wrapped(help).forEach(line -> lines.add(line.replace("%", "%%")));
      }
    }
    return lines.toArray(String[]::new);
  }

  /** Lines of at most 80 columns: picocli would go on at the left edge. */
  private static List<String> wrapped(String text) {
    List<String> lines = new ArrayList<>();
    StringBuilder line = new StringBuilder(INDENT);
    for (String word : text.split(" ", -1)) {
      if (line.length() > INDENT.length() && line.length() + 1 + word.length() > COLUMNS) {
        lines.add(line.toString());
        line = new StringBuilder(INDENT);
      }
      line.append(line.length() > INDENT.length() ? " " : "").append(word);
    }
    lines.add(line.toString());
    return lines;
  }
}
