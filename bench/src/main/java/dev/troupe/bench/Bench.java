package dev.troupe.bench;

import java.nio.file.Path;
import java.util.logging.Level;
import java.util.logging.Logger;

/** The load generator's command line; the script {@code troupe} has its help. */
public final class Bench {

  private static final Logger NETTY = Logger.getLogger("io.netty");
  private static final Logger NATS = Logger.getLogger("io.nats");

  private Bench() {}

  /** Runs one benchmark. */
  public static void main(String[] arguments) throws Exception {
    // A call that was given up is an everyday matter under overload, not worth a line each.
    NETTY.setLevel(Level.WARNING);
    NATS.setLevel(Level.WARNING);
    String what = arguments.length > 0 ? arguments[0] : "tasks";
    int runs = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 3;
    String fsync = arguments.length > 2 ? arguments[2] : "everysec";
    Path jar = Path.of(System.getProperty("troupe.jar", "server/target/troupe.jar"));
    switch (what) {
      case "tasks" -> TaskCosts.measure(jar, fsync, runs);
      case "overload" -> Overload.measure(jar, runs);
      case "telemetry" -> TelemetryCost.measure(jar, runs);
      case "locks" -> LockLoads.measure(jar, fsync, runs);
      case "agents" -> AgentCosts.measure(jar, fsync, runs);
      case "fanout" -> FanOut.measure(jar, fsync, runs);
      case "filters" -> FilterCosts.measure(runs);
      case "memory-search" -> MemorySearch.measure(runs);
      case "memory-servers" -> MemoryServers.measure(jar, runs);
      default -> {
        System.err.println("bench: " + what + " is no benchmark; see ./troupe bench --help");
        System.exit(2);
      }
    }
  }
}
