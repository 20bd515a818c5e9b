package dev.troupe.examples.survey;

import static java.util.stream.Collectors.joining;

import dev.troupe.client.TroupeClient;
import dev.troupe.examples.survey.KillDrill.Kill;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Lets a fleet survey a directory, kills workers on the way if asked to, and checks the sum. */
@Command(
    name = "./troupe survey",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Lets a fleet of agents in Java, Python and Go count what a directory holds, one task a file, "
          + "and checks the sum against a plain count.",
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:every file was counted once, and right",
      "1:the check failed, or the survey could not be done",
      "2:wrong arguments",
    })
final class Survey implements Callable<Integer> {

  @Spec private @Nullable CommandSpec spec;

  @Parameters(
      arity = "0..1",
      paramLabel = "DIR",
      description = "What to survey (default: this repository).")
  private @Nullable Path directory;

  @Option(
      names = "--workers",
      paramLabel = "N",
      description = "How many workers, in turn of each language (${DEFAULT-VALUE}).")
  private int workers = 3;

  @Option(
      names = "--kill",
      description = "Kill a worker with SIGKILL half-way, and measure the recovery.")
  private boolean kill;

  @Option(
      names = "--kills",
      paramLabel = "N",
      description = "Kill this many, one after the other; each is replaced.")
  private int kills;

  @Option(
      names = "--server",
      paramLabel = "HOST:PORT",
      description = "The server to use (default: one started for the survey).")
  private @Nullable String server;

  private final PrintStream out = System.out;

  public static void main(String[] arguments) {
    System.exit(
        new CommandLine(new Survey())
            .setExecutionExceptionHandler(
                (failure, command, parsed) -> {
                  command.getErr().println("the survey failed: " + failure.getMessage());
                  return 1;
                })
            .execute(arguments));
  }

  @Override
  public Integer call() throws Exception {
    checkArguments();
    SourceTree tree = SourceTree.below(root());
    if (tree.files().size() < 2 * (kills + 1)) {
      throw refused("too few files below " + tree.root() + ": " + tree.files().size());
    }
    Path work = Files.createTempDirectory("troupe-survey");
    SurveyServer own = server == null ? new SurveyServer(work.resolve("data")) : null;
    try (own) {
      String address = own == null ? String.valueOf(server) : own.address();
      out.printf(
          "surveying %d files below %s, server %s%s, logs in %s%n",
          tree.files().size(),
          tree.root(),
          address,
          own == null ? "" : " (started for this survey)",
          work);
      return survey(tree, address, work) ? 0 : 1;
    }
  }

  private void checkArguments() {
    if (kill && kills == 0) {
      kills = 1;
    }
    if (workers < 1 || workers > 64) {
      throw refused("--workers: " + workers + " (expected: 1 to 64)");
    }
    if (kills < 0 || kills > 100) {
      throw refused("--kills: " + kills + " (expected: 0 to 100)");
    }
    if (kills > 0 && workers < 2) {
      throw refused("--kill: needs another worker to go on (expected: --workers of at least 2)");
    }
    if (directory != null && !Files.isDirectory(directory)) {
      throw refused("DIR: " + directory + " (expected: a directory)");
    }
  }

  private ParameterException refused(String why) {
    return new ParameterException(spec == null ? new CommandLine(this) : spec.commandLine(), why);
  }

  private Path root() throws IOException {
    Path chosen = directory;
    if (chosen == null) {
      chosen = Path.of(System.getenv().getOrDefault("SURVEY_HOME", "."));
    }
    return chosen.toRealPath();
  }

  private boolean survey(SourceTree tree, String address, Path logs) throws Exception {
    List<WorkerKind> kinds = WorkerKind.available(System.getenv());
    out.println("workers in " + kinds.stream().map(kind -> kind.label).collect(joining(", ")));
    Arrays.stream(WorkerKind.values())
        .filter(kind -> !kinds.contains(kind))
        .forEach(kind -> out.println("left out: " + kind.label + ", its tools are missing"));
    long begun = System.nanoTime();
    Map<String, Counts> plain = tree.countHere();
    double plainSeconds = (System.nanoTime() - begun) / 1e9;
    String queue = "survey-" + UUID.randomUUID();
    try (TroupeClient client = TroupeClient.connect(address);
        Fleet fleet = new Fleet(address, queue, tree.root(), logs, workers, kinds)) {
      // A survey that is interrupted takes its workers with it.
      Runtime.getRuntime().addShutdownHook(new Thread(fleet::close, "fleet"));
      SurveyRun run = new SurveyRun(client, queue, tree, plain, fleet, out);
      List<Kill> killed = run.run(kills);
      SurveyReport report = run.report();
      out.println();
      report.print(out);
      killed.forEach(this::print);
      return report.printCheck(out, plainSeconds);
    }
  }

  private void print(Kill kill) {
    out.printf(
        Locale.ROOT,
        "killed %s with %d task%s in hand: leased elsewhere after %.2f s, done after %.2f s%n",
        kill.worker(),
        kill.held(),
        kill.held() == 1 ? "" : "s",
        kill.againSeconds(),
        kill.doneSeconds());
  }
}
