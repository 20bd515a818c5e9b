package dev.troupe.server.cli;

import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** {@code troupe}: the command that all others are under. */
@Command(
    name = "troupe",
    mixinStandardHelpOptions = true,
    description = "A coordination server for fleets of AI agents.",
    synopsisSubcommandLabel = "COMMAND",
    versionProvider = TroupeCommand.Version.class,
    footer = {
      "",
      "Exit status: 0 done, 1 refused by the server, 2 wrong usage, 3 server not",
      "reachable, 4 not found, 5 what was waited for did not come in time."
    })
final class TroupeCommand {

  /** Tells the version that the build wrote into the archive. */
  static final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      String version =
          Optional.ofNullable(TroupeCommand.class.getPackage().getImplementationVersion())
              .orElse("unpackaged");
      return new String[] {"troupe " + version + " (Java " + Runtime.version() + ")"};
    }
  }
}
