package dev.troupe.server.redis;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Does what time brings, in all partitions of all namespaces, some at a time. One that fails does
 * not keep the others from being swept, as a part of a Cluster may be away. Thread-safe.
 */
public final class PartitionSweep {

  private static final int AT_ONCE = 16;

  /**
   * What came of sweeping one partition.
   *
   * @param more whether there is more to do at once
   * @param dueInMicros when there will be; negative when that is not known
   */
  public record Swept(boolean more, long dueInMicros) {}

  private final Leaders.Leader leader;
  private final Namespaces namespaces;
  private final Function<Partition, CompletionStage<Swept>> sweep;
  private final Duration soonest;
  private final Duration latest;

  /**
   * Prepares rounds.
   *
   * @param leader who sweeps; the others only look whether it is their turn
   * @param sweep what to do to each partition, a bounded number of steps at a time
   * @param soonest pause between two rounds at the least
   * @param latest pause at the most
   */
  public PartitionSweep(
      Leaders.Leader leader,
      Namespaces namespaces,
      Function<Partition, CompletionStage<Swept>> sweep,
      Duration soonest,
      Duration latest) {
    this.leader = leader;
    this.namespaces = namespaces;
    this.sweep = sweep;
    this.soonest = soonest;
    this.latest = latest;
  }

  /**
   * Sweeps everything once and says how long to pause; fails, after all others were swept, when one
   * did.
   */
  public CompletionStage<Duration> round() {
    return leader
        .isMe()
        .thenCompose(mine -> mine ? sweep() : CompletableFuture.completedFuture(latest));
  }

  private CompletionStage<Duration> sweep() {
    return namespaces
        .known()
        .thenCompose(this::partitions)
        .thenCompose(
            partitions -> {
              Queue<Partition> left = new ConcurrentLinkedQueue<>(partitions);
              CompletionStage<Round> all = CompletableFuture.completedFuture(quiet());
              for (int i = 0; i < Math.min(AT_ONCE, partitions.size()); i++) {
                all = all.thenCombine(sweepAll(left, quiet()), Round::and);
              }
              return all;
            })
        .thenCompose(this::pause);
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
  private CompletionStage<Round> sweepAll(Queue<Partition> left, Round round) {
    Partition partition = left.poll();
    return partition == null
        ? CompletableFuture.completedFuture(round)
        : sweepOne(partition).thenCompose(swept -> sweepAll(left, round.and(swept)));
  }

  private CompletionStage<Round> sweepOne(Partition partition) {
    return sweep
        .apply(partition)
        .thenCompose(
            swept -> {
              if (swept.more()) {
                return sweepOne(partition);
              }
              return CompletableFuture.completedFuture(
                  swept.dueInMicros() < 0 ? quiet() : new Round(swept.dueInMicros(), null));
            })
        .exceptionally(failure -> new Round(micros(latest), failure));
  }

  private Round quiet() {
    return new Round(micros(latest), null);
  }

  private CompletionStage<Duration> pause(Round round) {
    if (round.failure != null) {
      return CompletableFuture.failedFuture(round.failure);
    }
    long micros = Math.min(micros(latest), Math.max(micros(soonest), round.dueInMicros));
    return CompletableFuture.completedFuture(Duration.ofNanos(micros * 1000));
  }

  private static long micros(Duration duration) {
    return duration.toNanos() / 1000;
  }

  /** What came of sweeping some partitions. */
  private record Round(long dueInMicros, @Nullable Throwable failure) {

    Round and(Round other) {
      return new Round(
          Math.min(dueInMicros, other.dueInMicros), failure == null ? other.failure : failure);
    }
  }
}
