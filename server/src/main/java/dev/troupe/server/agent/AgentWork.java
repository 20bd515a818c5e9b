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
 * Notices agents that fell silent, in every partition. One server at a time does so; a script marks
 * each agent once.
 */
final class AgentWork implements Service {

  private static final Duration SOONEST = Duration.ofMillis(10);
  private static final Duration LATEST = Duration.ofMillis(250);

  private final PartitionSweep sweep;
  private final PeriodicTasks tasks;

  @Inject
  AgentWork(
      AgentStore store,
      AgentConfig config,
      Leaders leaders,
      Namespaces namespaces,
      PeriodicTasks tasks,
      Lifecycle lifecycle) {
    this.sweep =
        new PartitionSweep(
            leaders.of("agent-sweep"),
            namespaces,
            partition -> store.sweep(partition, config.retention()),
            SOONEST,
            LATEST);
    this.tasks = tasks;
    lifecycle.register("agents", this);
  }

  @Override
  public CompletionStage<?> start() {
    tasks.schedule("agent-sweep", sweep::round);
    return CompletableFuture.completedFuture(null);
  }
}
