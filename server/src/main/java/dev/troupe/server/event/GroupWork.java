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
 * What time brings to groups: deadlines pass that nobody takes notice of, members fall silent; one
 * server at a time looks for that. And those who hear nothing are told how far their groups are.
 */
final class GroupWork implements Service {

  private static final Duration SOONEST = Duration.ofMillis(20);
  private static final Duration LATEST = Duration.ofMillis(500);

  private final ConsumeStreams streams;
  private final PartitionSweep sweep;
  private final PeriodicTasks tasks;

  @Inject
  GroupWork(
      GroupStore store,
      ConsumeStreams streams,
      Leaders leaders,
      Namespaces namespaces,
      PeriodicTasks tasks,
      Lifecycle lifecycle) {
    this.streams = streams;
    this.sweep =
        new PartitionSweep(leaders.of("group-sweep"), namespaces, store::sweep, SOONEST, LATEST);
    this.tasks = tasks;
    lifecycle.register("consumer groups", this);
  }

  @Override
  public CompletionStage<?> start() {
    tasks.schedule("group-sweep", sweep::round);
    tasks.schedule("group-progress", streams::tick);
    return CompletableFuture.completedFuture(null);
  }
}
