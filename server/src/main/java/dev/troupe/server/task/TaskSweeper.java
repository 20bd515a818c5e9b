package dev.troupe.server.task;

import com.google.inject.Inject;
import dev.troupe.server.redis.Namespaces;
import dev.troupe.server.redis.Partition;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Does what time brings, in every partition: delays end, leases and timers run out, records expire.
 * Every server does so; a script moves each task once, whoever runs it.
 */
public final class TaskSweeper {

  private static final long SOONEST_MICROS = 5_000;
  private static final long LATEST_MICROS = 200_000;

  private final TaskStore store;
  private final Namespaces namespaces;

  @Inject
  TaskSweeper(TaskStore store, Namespaces namespaces) {
    this.store = store;
    this.namespaces = namespaces;
  }

  /** Sweeps all partitions, and says when to do it again. */
  public CompletionStage<Duration> run() {
    return namespaces
        .known()
        .thenCompose(names -> sweepNamespaces(names, 0, LATEST_MICROS))
        .thenApply(micros -> Duration.ofNanos(Math.max(SOONEST_MICROS, micros) * 1000));
  }

  private CompletionStage<Long> sweepNamespaces(List<String> names, int index, long soonest) {
    if (index == names.size()) {
      return CompletableFuture.completedFuture(soonest);
    }
    return namespaces
        .partitions(names.get(index))
        .thenCompose(partitions -> sweepPartitions(partitions, 0, soonest))
        .thenCompose(next -> sweepNamespaces(names, index + 1, next));
  }

  private CompletionStage<Long> sweepPartitions(
      List<Partition> partitions, int index, long soonest) {
    if (index == partitions.size()) {
      return CompletableFuture.completedFuture(soonest);
    }
    return store
        .sweep(partitions.get(index))
        .thenCompose(
            swept -> {
              if (swept.moved() >= TaskStore.MOST_PER_SCRIPT) {
                return sweepPartitions(partitions, index, soonest);
              }
              long next =
                  swept.dueInMicros() < 0 ? soonest : Math.min(soonest, swept.dueInMicros());
              return sweepPartitions(partitions, index + 1, next);
            });
  }
}
