package dev.troupe.server.memory;

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
 * Removes what is past its lifetime, and announces what is about to be, in every partition; one
 * server at a time does so. Nobody is kept waiting by it, as nothing past its lifetime is returned.
 * On the way it brings all partitions to the newest settings of their namespace.
 */
final class MemoryWork implements Service {

  private static final Duration SOONEST = Duration.ofMillis(50);
  private static final Duration LATEST = Duration.ofSeconds(1);

  private final PartitionSweep sweep;
  private final PeriodicTasks tasks;

  @Inject
  MemoryWork(
      SpaceStore store,
      NamespaceDefaults defaults,
      Leaders leaders,
      Namespaces namespaces,
      PeriodicTasks tasks,
      Lifecycle lifecycle) {
    this.sweep =
        new PartitionSweep(
            leaders.of("memory-sweep"),
            namespaces,
            partition ->
                store.sweep(partition).thenCompose(sweep -> defaults.swept(partition, sweep)),
            SOONEST,
            LATEST);
    this.tasks = tasks;
    lifecycle.register("memory", this);
  }

  @Override
  public CompletionStage<?> start() {
    tasks.schedule("memory-sweep", sweep::round);
    return CompletableFuture.completedFuture(null);
  }
}
