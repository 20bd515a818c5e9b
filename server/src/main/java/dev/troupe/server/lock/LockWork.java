package dev.troupe.server.lock;

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

/** Ends leases and waits that ran out, in every partition; one server at a time does so. */
final class LockWork implements Service {

  private static final Duration SOONEST = Duration.ofMillis(5);
  private static final Duration LATEST = Duration.ofMillis(200);

  private final PartitionSweep sweep;
  private final PeriodicTasks tasks;

  @Inject
  LockWork(
      LockStore store,
      Leaders leaders,
      Namespaces namespaces,
      PeriodicTasks tasks,
      Lifecycle lifecycle) {
    this.sweep =
        new PartitionSweep(leaders.of("lock-sweep"), namespaces, store::sweep, SOONEST, LATEST);
    this.tasks = tasks;
    lifecycle.register("locks", this);
  }

  @Override
  public CompletionStage<?> start() {
    tasks.schedule("lock-sweep", sweep::round);
    return CompletableFuture.completedFuture(null);
  }
}
