package dev.troupe.bench;

import java.nio.file.Path;
import java.util.logging.Level;
import java.util.logging.Logger;

/** The load generator's command line. */
public final class Bench {

  private static final String USAGE =
      """
      Usage: ./troupe bench [WHAT] [RUNS] [everysec|always]

        tasks      what a task costs through gRPC, beside an empty call (default)
        overload   what is left of the capacity when more is offered
        telemetry  what metrics and traces cost
        locks      locks beside those of etcd and of Redisson
        agents     what a fleet of agents costs, and how soon it is noticed when a part of it dies
        fanout     what it costs to hand events to 1 to 1000 subscribers, beside NATS JetStream
        filters    what a filter in CESQL costs per event, without a server
        memory-search  searches of a memory space within the server's memory, without the network
        memory-servers  how soon a memory is found through another server, and after a restart

      Starts a server of its own and prints Markdown tables; 3 runs when not given. The last
      argument is for tasks, locks, agents and fanout: when the embedded Redis writes through to the
      disk.
      """;

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
      case "-h", "--help", "help" -> System.out.print(USAGE);
      default -> {
        System.err.print(USAGE);
        System.exit(2);
      }
    }
  }
}
