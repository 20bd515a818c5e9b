package dev.troupe.server.agent;

import com.google.inject.Inject;
import dev.troupe.server.lifecycle.Lifecycle;
import dev.troupe.server.lifecycle.PeriodicTasks;
import dev.troupe.server.lifecycle.Service;
import dev.troupe.server.redis.Namespaces;
import dev.troupe.server.redis.Partition;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Notices agents that fell silent, in every partition. Every server does so; a script marks each
 * agent once.
 */
final class AgentWork implements Service {

  private static final long SOONEST_MICROS = 10_000;
  private static final long LATEST_MICROS = 250_000;

  private final AgentStore store;
  private final AgentConfig config;
  private final Namespaces namespaces;
  private final PeriodicTasks tasks;

  @Inject
  AgentWork(
      AgentStore store,
      AgentConfig config,
      Namespaces namespaces,
      PeriodicTasks tasks,
      Lifecycle lifecycle) {
    this.store = store;
    this.config = config;
    this.namespaces = namespaces;
    this.tasks = tasks;
    lifecycle.register("agents", this);
  }

  @Override
  public CompletionStage<?> start() {
    tasks.schedule("agent-sweep", this::sweep);
    return CompletableFuture.completedFuture(null);
  }

  private CompletionStage<Duration> sweep() {
    return namespaces
        .known()
        .thenCompose(
            names -> {
              CompletionStage<Long> soonest = CompletableFuture.completedFuture(LATEST_MICROS);
              for (String name : names) {
                soonest =
                    soonest.thenCompose(
                        micros ->
                            namespaces
                                .partitions(name)
                                .thenCompose(partitions -> sweep(partitions, 0, micros)));
              }
              return soonest;
            })
        .thenApply(micros -> Duration.ofNanos(Math.max(SOONEST_MICROS, micros) * 1000));
  }

  private CompletionStage<Long> sweep(List<Partition> partitions, int index, long soonest) {
    if (index == partitions.size()) {
      return CompletableFuture.completedFuture(soonest);
    }
    return store
        .sweep(partitions.get(index), config.retention())
        .thenCompose(
            swept ->
                swept.moved() >= 64
                    ? sweep(partitions, index, soonest)
                    : sweep(
                        partitions,
                        index + 1,
                        swept.dueInMicros() < 0
                            ? soonest
                            : Math.min(soonest, swept.dueInMicros())));
  }
}
