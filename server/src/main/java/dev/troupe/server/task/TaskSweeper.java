package dev.troupe.server.task;

import com.google.inject.Inject;
import dev.troupe.server.redis.Leaders;
import dev.troupe.server.redis.Namespaces;
import dev.troupe.server.redis.PartitionSweep;
import java.time.Duration;
import java.util.concurrent.CompletionStage;

/**
 * Does what time brings, in every partition: delays end, leases and timers run out, records expire.
 * One server at a time does so; a script moves each task once, whoever runs it.
 */
public final class TaskSweeper {

  private static final Duration SOONEST = Duration.ofMillis(5);
  private static final Duration LATEST = Duration.ofMillis(200);

  private final PartitionSweep sweep;

  @Inject
  TaskSweeper(TaskStore store, Leaders leaders, Namespaces namespaces) {
    sweep = new PartitionSweep(leaders.of("task-sweep"), namespaces, store::sweep, SOONEST, LATEST);
  }

  /** Sweeps all partitions, and says when to do it again. */
  public CompletionStage<Duration> run() {
    return sweep.round();
  }
}
