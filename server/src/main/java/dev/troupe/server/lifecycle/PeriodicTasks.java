package dev.troupe.server.lifecycle;

import com.google.common.base.Ticker;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.function.Supplier;

/**
 * Named jobs that run again and again, each deciding itself when next.
 *
 * <p>One thread starts all jobs, so a job must not block: it returns a stage. A job never overlaps
 * itself; a failing one is tried again with growing pauses. Thread-safe.
 */
public final class PeriodicTasks implements Service {

  private final ScheduledThreadPoolExecutor executor;
  private final Ticker ticker;
  private final InstantSource clock;
  private final List<PeriodicTask> tasks = new ArrayList<>();
  private boolean stopped;

  public PeriodicTasks(Ticker ticker, InstantSource clock) {
    this.ticker = ticker;
    this.clock = clock;
    this.executor =
        new ScheduledThreadPoolExecutor(
            1,
            runnable -> {
              Thread thread = new Thread(runnable, "periodic");
              thread.setDaemon(true);
              return thread;
            });
    executor.setRemoveOnCancelPolicy(true);
  }

  /**
   * Adds a job whose first run is now.
   *
   * @param name unique, such as {@code task-promoter}; it appears in logs and metrics
   * @param job does one round and tells how long until the next
   */
  public PeriodicTask schedule(String name, Supplier<? extends CompletionStage<Duration>> job) {
    return schedule(name, Duration.ZERO, job);
  }

  /** Adds a job whose first run is after the given time. */
  public PeriodicTask schedule(
      String name, Duration first, Supplier<? extends CompletionStage<Duration>> job) {
    PeriodicTask task = new PeriodicTask(name, job, executor, ticker, clock);
    synchronized (tasks) {
      if (stopped) {
        throw new IllegalStateException("too late to schedule " + name);
      }
      if (tasks.stream().anyMatch(other -> other.name().equals(name))) {
        throw new IllegalArgumentException("two periodic tasks are named " + name);
      }
      tasks.add(task);
    }
    task.begin(first);
    return task;
  }

  /** Ends one job; a run under way is waited for by the returned stage. */
  public CompletionStage<?> cancel(PeriodicTask task) {
    synchronized (tasks) {
      tasks.remove(task);
    }
    return task.end();
  }

  /** What every job has done so far. */
  public List<PeriodicTask.Status> status() {
    synchronized (tasks) {
      return tasks.stream().map(PeriodicTask::status).toList();
    }
  }

  /** Starts no further run and waits for those under way. */
  @Override
  public CompletionStage<?> stop(Duration grace) {
    List<CompletableFuture<?>> ends = new ArrayList<>();
    synchronized (tasks) {
      stopped = true;
      tasks.forEach(task -> ends.add(task.end()));
    }
    return CompletableFuture.allOf(ends.toArray(CompletableFuture<?>[]::new))
        .whenComplete((done, failure) -> executor.shutdown());
  }
}
