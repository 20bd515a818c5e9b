package dev.troupe.server.task;

import com.google.inject.Inject;
import dev.troupe.server.grpc.Drainable;
import dev.troupe.server.lifecycle.Lifecycle;
import dev.troupe.server.lifecycle.PeriodicTasks;
import dev.troupe.server.lifecycle.Service;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** What the task feature does by itself: sweeps, looks after deliveries, and drains its streams. */
final class TaskWork implements Service, Drainable {

  private static final Duration DELIVERY_CHECK = Duration.ofSeconds(1);
  private static final Duration DRAIN_CHECK = Duration.ofMillis(20);

  private final TaskSweeper sweeper;
  private final LeasePools pools;
  private final WorkStreams streams;
  private final WorkStreamHost host;
  private final PeriodicTasks tasks;
  private final ScheduledExecutorService timers;

  @Inject
  TaskWork(
      TaskSweeper sweeper,
      LeasePools pools,
      WorkStreams streams,
      WorkStreamHost host,
      PeriodicTasks tasks,
      ScheduledExecutorService timers,
      Lifecycle lifecycle) {
    this.sweeper = sweeper;
    this.pools = pools;
    this.streams = streams;
    this.host = host;
    this.tasks = tasks;
    this.timers = timers;
    lifecycle.register("task queues", this);
  }

  @Override
  public CompletionStage<?> start() {
    tasks.schedule("task-sweep", sweeper::run);
    tasks.schedule("task-safety-poll", this::ringAll);
    tasks.schedule("task-deliveries", this::lookAfterDeliveries);
    return CompletableFuture.completedFuture(null);
  }

  private CompletionStage<Duration> ringAll() {
    pools.ringAll();
    return CompletableFuture.completedFuture(host.config().safetyPoll());
  }

  private CompletionStage<Duration> lookAfterDeliveries() {
    streams.all().forEach(WorkStream::lookAfterDeliveries);
    return CompletableFuture.completedFuture(DELIVERY_CHECK);
  }

  /** Workers finish what is in hand, within the grace; then their streams are closed. */
  @Override
  public CompletionStage<?> drain() {
    host.stop();
    streams.all().forEach(WorkStream::drain);
    CompletableFuture<Void> drained = new CompletableFuture<>();
    long deadline = host.nanos() + host.config().drainGrace().toNanos();
    await(drained, deadline);
    return drained;
  }

  private void await(CompletableFuture<Void> drained, long deadline) {
    if (streams.all().isEmpty() || host.nanos() - deadline > 0) {
      streams.all().forEach(WorkStream::stopNow);
      drained.complete(null);
    } else {
      timers.schedule(
          () -> await(drained, deadline), DRAIN_CHECK.toMillis(), TimeUnit.MILLISECONDS);
    }
  }
}
