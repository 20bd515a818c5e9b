package dev.troupe.server.agent;

import com.google.inject.Inject;
import dev.troupe.server.lifecycle.Lifecycle;
import dev.troupe.server.lifecycle.PeriodicTasks;
import dev.troupe.server.lifecycle.Service;
import dev.troupe.server.redis.Leaders;
import dev.troupe.server.redis.Namespaces;
import dev.troupe.server.redis.PartitionSweep;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * What is done for agents without anybody's call, in every partition: those that fell silent are
 * noticed, what sessions held that are over is given back, and figures are counted. One server at a
 * time does each of these; a script marks each agent once, whoever runs it.
 */
final class AgentWork implements Service {

  /** Who notices an end gives back as well, at once. */
  static final String DUTY = "agent-sweep";

  private static final Duration SOONEST = Duration.ofMillis(10);
  private static final Duration LATEST = Duration.ofMillis(250);
  private static final Duration SOONEST_BOOKINGS = Duration.ofSeconds(1);
  private static final Duration LATEST_BOOKINGS = Duration.ofSeconds(30);

  private final PartitionSweep sweep;
  private final SessionEndings endings;
  private final PartitionSweep bookings;
  private final FigureCounting figures;
  private final PeriodicTasks tasks;

  @Inject
  AgentWork(
      AgentStore store,
      AgentConfig config,
      SessionEndings endings,
      AgentPorts ports,
      FigureCounting figures,
      Leaders leaders,
      Namespaces namespaces,
      PeriodicTasks tasks,
      Lifecycle lifecycle) {
    this.sweep =
        new PartitionSweep(
            leaders.of(DUTY),
            namespaces,
            partition -> store.sweep(partition, config.retention(), endings::poke),
            SOONEST,
            LATEST);
    this.endings = endings;
    this.figures = figures;
    this.bookings =
        new PartitionSweep(
            leaders.of("agent-ports"),
            namespaces,
            ports::lookInto,
            SOONEST_BOOKINGS,
            LATEST_BOOKINGS);
    this.tasks = tasks;
    lifecycle.register("agents", this);
  }

  @Override
  public CompletionStage<?> start() {
    endings.begin(tasks);
    figures.begin(tasks);
    tasks.schedule("agent-sweep", sweep::round);
    tasks.schedule("agent-port-bookings", bookings::round);
    return CompletableFuture.completedFuture(null);
  }
}
