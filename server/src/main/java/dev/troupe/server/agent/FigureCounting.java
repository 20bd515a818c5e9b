package dev.troupe.server.agent;

import com.google.common.base.Ticker;
import com.google.inject.Inject;
import dev.troupe.server.agent.FigureStore.Added;
import dev.troupe.server.agent.FigureStore.EndedAttempt;
import dev.troupe.server.agent.FigureStore.EndedAttempts;
import dev.troupe.server.lifecycle.PeriodicTasks;
import dev.troupe.server.redis.Leaders;
import dev.troupe.server.redis.Namespaces;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.PartitionSweep;
import dev.troupe.server.redis.PartitionSweep.Swept;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/**
 * Counts what became of the agents' attempts at tasks, from the logs of all partitions: once a
 * second, or one batch after the other while there is more.
 *
 * <p>A batch is first added where its agents live, then noted as counted where it was read. Any
 * number of servers may do so at the same time or die in between; nothing counts twice.
 *
 * <p>To read a log costs Redis about two microseconds an entry. So the logs of a namespace without
 * agents are not read but passed over: up to where they went before nobody was found.
 */
final class FigureCounting {

  private static final Duration SOONEST = Duration.ofSeconds(1);
  private static final Duration LATEST = Duration.ofSeconds(1);

  private static final long GOOD_NANOS = Duration.ofSeconds(10).toNanos();

  private final FigureStore store;
  private final Namespaces namespaces;
  private final Ticker ticker;
  private final PartitionSweep sweep;

  /** When a namespace was last found to have agents. */
  private final ConcurrentMap<String, Long> agentsSeenNanos = new ConcurrentHashMap<>();

  @Inject
  FigureCounting(FigureStore store, Namespaces namespaces, Leaders leaders, Ticker ticker) {
    this.ticker = ticker;
    this.store = store;
    this.namespaces = namespaces;
    this.sweep =
        new PartitionSweep(leaders.of("agent-figures"), namespaces, this::count, SOONEST, LATEST);
  }

  void begin(PeriodicTasks tasks) {
    tasks.schedule("agent-figures", sweep::round);
  }

  /** Counts one batch of a partition. */
  CompletionStage<Swept> count(Partition partition) {
    Long seen = agentsSeenNanos.get(partition.namespace());
    if (seen != null && ticker.read() - seen < GOOD_NANOS) {
      return readAndCount(partition);
    }
    return store
        .uncounted(partition)
        .thenCompose(
            uncounted ->
                uncounted.to() == uncounted.from()
                    ? CompletableFuture.completedFuture(new Swept(false, -1))
                    : hasAgents(partition.namespace())
                        .thenCompose(
                            some ->
                                some
                                    ? readAndCount(partition)
                                    : store
                                        .counted(partition, uncounted)
                                        .thenApply(passed -> new Swept(false, -1))));
  }

  private CompletionStage<Boolean> hasAgents(String namespace) {
    return namespaces
        .partitions(namespace)
        .thenCompose(
            partitions -> {
              CompletionStage<Boolean> any = CompletableFuture.completedFuture(false);
              for (Partition partition : partitions) {
                any = any.thenCombine(store.hasAgents(partition), Boolean::logicalOr);
              }
              return any;
            })
        .thenApply(
            any -> {
              if (any) {
                agentsSeenNanos.put(namespace, ticker.read());
              } else {
                agentsSeenNanos.remove(namespace);
              }
              return any;
            });
  }

  private CompletionStage<Swept> readAndCount(Partition partition) {
    return store.attempts(partition).thenCompose(attempts -> count(partition, attempts));
  }

  private CompletionStage<Swept> count(Partition partition, EndedAttempts attempts) {
    Swept swept = new Swept(attempts.more(), -1);
    if (attempts.to() == attempts.from()) {
      return CompletableFuture.completedFuture(swept);
    }
    return byPartition(partition.namespace(), attempts.all())
        .thenCompose(
            byPartition ->
                CompletableFuture.allOf(
                    byPartition.entrySet().stream()
                        .map(of -> add(of.getKey(), partition, attempts, of.getValue(), 0))
                        .map(CompletionStage::toCompletableFuture)
                        .toArray(CompletableFuture<?>[]::new)))
        .thenCompose(added -> store.counted(partition, attempts))
        .thenApply(counted -> swept);
  }

  /** The attempts by where the agents live that bear their workers' ids. */
  private CompletionStage<Map<Partition, List<EndedAttempt>>> byPartition(
      String namespace, List<EndedAttempt> attempts) {
    CompletionStage<Map<Partition, List<EndedAttempt>>> all =
        CompletableFuture.completedFuture(new HashMap<>());
    for (EndedAttempt attempt : attempts) {
      all =
          all.thenCombine(
              namespaces.locate(namespace, attempt.worker()),
              (found, partition) -> {
                found.computeIfAbsent(partition, p -> new ArrayList<>()).add(attempt);
                return found;
              });
    }
    return all;
  }

  /**
   * Adds the attempts behind a sequence.
   *
   * @param done up to where they were added before, as far as is known
   */
  private CompletionStage<Long> add(
      Partition agents,
      Partition tasks,
      EndedAttempts attempts,
      List<EndedAttempt> theirs,
      long done) {
    Map<String, Added> byAgent = new HashMap<>();
    for (EndedAttempt attempt : theirs) {
      if (attempt.sequence() > done) {
        byAgent.merge(attempt.worker(), Added.NOTHING.and(attempt), (sum, one) -> sum.and(attempt));
      }
    }
    return store
        .count(
            agents,
            tasks,
            attempts.generation(),
            Math.max(attempts.from(), done),
            attempts.to(),
            byAgent)
        .thenCompose(
            before ->
                before == 0
                    ? CompletableFuture.completedFuture(0L)
                    : add(agents, tasks, attempts, theirs, before));
  }
}
