package dev.troupe.server.event;

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
 * Drops what topics no longer keep, and carries what was left in outboxes, in every partition; one
 * server at a time does so.
 */
final class TopicWork implements Service {

  private static final Duration SOONEST = Duration.ofMillis(50);
  private static final Duration LATEST = Duration.ofSeconds(1);

  private final PartitionSweep sweep;
  private final PartitionSweep outboxes;
  private final PeriodicTasks tasks;

  @Inject
  TopicWork(
      TopicStore store,
      OutboxRelay relay,
      Leaders leaders,
      Namespaces namespaces,
      PeriodicTasks tasks,
      Lifecycle lifecycle) {
    this.sweep =
        new PartitionSweep(leaders.of("topic-sweep"), namespaces, store::sweep, SOONEST, LATEST);
    this.outboxes =
        new PartitionSweep(leaders.of("outbox-sweep"), namespaces, relay::sweep, LATEST, LATEST);
    this.tasks = tasks;
    lifecycle.register("topics", this);
  }

  @Override
  public CompletionStage<?> start() {
    tasks.schedule("topic-sweep", sweep::round);
    tasks.schedule("outbox-sweep", outboxes::round);
    return CompletableFuture.completedFuture(null);
  }
}
