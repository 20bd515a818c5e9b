package dev.troupe.server.cli;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code troupe doctor}: checks this machine and a server, a line each, with advice. */
@Command(
    name = "doctor",
    mixinStandardHelpOptions = true,
    description = "Checks this machine and the server, and gives advice.")
final class DoctorCommand implements Callable<Integer> {

  private static final Duration USUAL_TIMEOUT = Duration.ofSeconds(5);

  private final Console console;
  private final MachineChecks machine;

  @Mixin ServerOptions options = new ServerOptions();

  private boolean healthy = true;

  DoctorCommand(Console console, Map<String, String> environment) {
    this.console = console;
    this.machine = new MachineChecks(environment);
  }

  @Override
  public Integer call() throws InterruptedException {
    report(machine.java());
    report(machine.redisBinary());
    Duration timeout = options.timeout == null ? USUAL_TIMEOUT : options.timeout;
    try (Connection connection = options.connect()) {
      ServerChecks server = new ServerChecks(connection, options, timeout);
      if (!report(server.reachable())) {
        return ExitStatus.UNAVAILABLE;
      }
      report(server.health());
      report(server.reflection());
      report(server.redis());
    }
    return healthy ? ExitStatus.OK : ExitStatus.REFUSED;
  }

  private boolean report(Diagnosis diagnosis) {
    healthy &= diagnosis.ok();
    console
        .out()
        .println(options.output == OutputFormat.JSON ? asDocument(diagnosis) : inWords(diagnosis));
    console.out().flush();
    return diagnosis.ok();
  }

  private static String asDocument(Diagnosis diagnosis) {
    Map<String, Object> document = new LinkedHashMap<>();
    document.put("subject", diagnosis.subject());
    document.put("ok", diagnosis.ok());
    document.put("finding", diagnosis.finding());
    document.put("advice", diagnosis.advice());
    return Json.of(document);
  }

  private static String inWords(Diagnosis diagnosis) {
    return (diagnosis.ok() ? "OK    " : "FAIL  ")
        + diagnosis.subject()
        + ": "
        + Text.printable(diagnosis.finding())
        + (diagnosis.advice().isEmpty() ? "" : " - " + diagnosis.advice());
  }
}
