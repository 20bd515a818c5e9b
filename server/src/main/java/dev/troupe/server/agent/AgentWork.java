package dev.troupe.server.agent;

import com.google.inject.Inject;
import dev.troupe.server.lifecycle.Lifecycle;
import dev.troupe.server.lifecycle.PeriodicTasks;
import dev.troupe.server.lifecycle.Service;
import dev.troupe.server.redis.Namespaces;
import dev.troupe.server.redis.Partition;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

/**
 * Notices agents that fell silent, in every partition. Every server does so; a script marks each
 * agent once.
 */
final class AgentWork implements Service {

  private static final long SOONEST_MICROS = 10_000;
  private static final long LATEST_MICROS = 250_000;
  private static final int AT_ONCE = 16;

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
        .thenCompose(this::partitions)
        .thenCompose(
            partitions -> {
              Queue<Partition> left = new ConcurrentLinkedQueue<>(partitions);
              CompletionStage<Round> all = CompletableFuture.completedFuture(Round.QUIET);
              for (int i = 0; i < AT_ONCE; i++) {
                all = all.thenCombine(sweep(left, Round.QUIET), Round::and);
              }
              return all;
            })
        .thenCompose(Round::pause);
  }

  private CompletionStage<List<Partition>> partitions(List<String> names) {
    CompletionStage<List<Partition>> all = CompletableFuture.completedFuture(new ArrayList<>());
    for (String name : names) {
      all =
          all.thenCombine(
              namespaces.partitions(name),
              (found, more) -> {
                found.addAll(more);
                return found;
              });
    }
    return all;
  }

  /** Takes one partition after the other until none is left. */
  private CompletionStage<Round> sweep(Queue<Partition> left, Round round) {
    Partition partition = left.poll();
    return partition == null
        ? CompletableFuture.completedFuture(round)
        : sweep(partition).thenCompose(swept -> sweep(left, round.and(swept)));
  }

  private CompletionStage<Round> sweep(Partition partition) {
    return store
        .sweep(partition, config.retention())
        .thenCompose(
            swept ->
                swept.moved() >= AgentStore.MOST_SWEPT
                    ? sweep(partition)
                    : CompletableFuture.completedFuture(Round.due(swept.dueInMicros())))
        .exceptionally(Round::failed);
  }

  /**
   * What came of sweeping some partitions. One that fails does not keep the others from being
   * swept, as part of a Cluster may be away.
   */
  private record Round(long dueInMicros, @Nullable Throwable failure) {

    static final Round QUIET = new Round(LATEST_MICROS, null);

    static Round due(long micros) {
      return micros < 0 ? QUIET : new Round(micros, null);
    }

    static Round failed(Throwable failure) {
      return new Round(LATEST_MICROS, failure);
    }

    Round and(Round other) {
      return new Round(
          Math.min(dueInMicros, other.dueInMicros), failure == null ? other.failure : failure);
    }

    CompletionStage<Duration> pause() {
      return failure == null
          ? CompletableFuture.completedFuture(
              Duration.ofNanos(Math.max(SOONEST_MICROS, dueInMicros) * 1000))
          : CompletableFuture.failedFuture(failure);
    }
  }
}
