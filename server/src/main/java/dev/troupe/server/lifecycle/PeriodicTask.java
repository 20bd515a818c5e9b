package dev.troupe.server.lifecycle;

import com.google.common.base.Ticker;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One job of {@link PeriodicTasks}. At any time it is either scheduled once, or running, or ended.
 * Thread-safe.
 */
public final class PeriodicTask {

  private static final Logger log = LoggerFactory.getLogger(PeriodicTask.class);

  private static final Duration FIRST_PAUSE = Duration.ofMillis(100);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(5);
  private static final long QUIET_NANOS = Duration.ofSeconds(30).toNanos();

  private final String name;
  private final Supplier<? extends CompletionStage<Duration>> job;
  private final ScheduledExecutorService executor;
  private final Ticker ticker;
  private final InstantSource clock;
  private final CompletableFuture<@Nullable Void> ended = new CompletableFuture<>();

  @GuardedBy("this")
  private @Nullable Future<?> next;

  /** Tells the run that is scheduled from one that was replaced but is already on its way. */
  @GuardedBy("this")
  private long turn;

  @GuardedBy("this")
  private long nextNanos;

  @GuardedBy("this")
  private boolean running;

  /** How soon another run was asked for while one is under way; negative when it was not. */
  @GuardedBy("this")
  private long againNanos = -1;

  @GuardedBy("this")
  private boolean ending;

  @GuardedBy("this")
  private long runs;

  @GuardedBy("this")
  private long failures;

  @GuardedBy("this")
  private int failuresInARow;

  @GuardedBy("this")
  private @Nullable Instant lastRun;

  @GuardedBy("this")
  private Duration lastDuration = Duration.ZERO;

  @GuardedBy("this")
  private long lastLoggedNanos;

  PeriodicTask(
      String name,
      Supplier<? extends CompletionStage<Duration>> job,
      ScheduledExecutorService executor,
      Ticker ticker,
      InstantSource clock) {
    this.name = name;
    this.job = job;
    this.executor = executor;
    this.ticker = ticker;
    this.clock = clock;
  }

  /**
   * What a job has done so far.
   *
   * @param name the job's name
   * @param runs how often it was started
   * @param failures how often it failed
   * @param failuresInARow how often it failed since its last success
   * @param running whether a run is under way
   * @param lastRun when its last run began
   * @param lastDuration how long its last finished run took
   */
  public record Status(
      String name,
      long runs,
      long failures,
      int failuresInARow,
      boolean running,
      Optional<Instant> lastRun,
      Duration lastDuration) {}

  public String name() {
    return name;
  }

  /** What it has done so far. */
  public synchronized Status status() {
    return new Status(
        name, runs, failures, failuresInARow, running, Optional.ofNullable(lastRun), lastDuration);
  }

  /** Runs now; right after the present run if there is one. */
  public void poke() {
    runWithin(Duration.ZERO);
  }

  /**
   * Runs within the given time at the latest, counted from now or from the end of the present run.
   * A job that pauses after a failure keeps its pause: a storm of requests must not turn into a
   * storm on a dependency that is down.
   */
  public synchronized void runWithin(Duration delay) {
    long nanos = delay.toNanos();
    if (ending) {
      return;
    }
    if (running) {
      againNanos = againNanos < 0 ? nanos : Math.min(againNanos, nanos);
    } else if (failuresInARow == 0 && ticker.read() + nanos - nextNanos < 0) {
      scheduleLocked(nanos);
    }
  }

  synchronized void begin(Duration first) {
    scheduleLocked(first.toNanos());
  }

  /** Lets no further run begin; the stage is complete when none is under way. */
  synchronized CompletableFuture<@Nullable Void> end() {
    ending = true;
    if (next != null) {
      next.cancel(false);
      next = null;
    }
    if (!running) {
      ended.complete(null);
    }
    return ended;
  }

  @GuardedBy("this")
  private void scheduleLocked(long nanos) {
    if (next != null) {
      next.cancel(false);
    }
    nextNanos = ticker.read() + nanos;
    long scheduled = ++turn;
    try {
      next = executor.schedule(() -> run(scheduled), nanos, TimeUnit.NANOSECONDS);
    } catch (RejectedExecutionException stopped) {
      next = null;
    }
  }

  private void run(long scheduled) {
    long begun;
    synchronized (this) {
      if (ending || running || scheduled != turn) {
        return;
      }
      running = true;
      next = null;
      againNanos = -1;
      runs++;
      lastRun = clock.instant();
      begun = ticker.read();
    }
    CompletionStage<Duration> round;
    try {
      round = job.get();
    } catch (Throwable failure) {
      round = CompletableFuture.failedFuture(failure);
    }
    round.whenComplete((pause, failure) -> finished(begun, pause, failure));
  }

  private void finished(long begun, @Nullable Duration pause, @Nullable Throwable failure) {
    boolean last;
    synchronized (this) {
      running = false;
      lastDuration = Duration.ofNanos(ticker.read() - begun);
      long nanos;
      if (failure == null && pause != null) {
        recovered();
        nanos = againNanos < 0 ? pause.toNanos() : Math.min(againNanos, pause.toNanos());
      } else {
        nanos = failed(failure);
      }
      last = ending;
      if (!last) {
        scheduleLocked(Math.max(0, nanos));
      }
    }
    if (last) {
      ended.complete(null);
    }
  }

  @GuardedBy("this")
  private void recovered() {
    if (failuresInARow > 0) {
      log.info("{} works again after {} failure(s)", name, failuresInARow);
      failuresInARow = 0;
    }
  }

  /** Counts a failure and returns the pause after it, in nanoseconds. */
  @GuardedBy("this")
  private long failed(@Nullable Throwable failure) {
    failures++;
    failuresInARow++;
    long now = ticker.read();
    if (failuresInARow == 1 || now - lastLoggedNanos >= QUIET_NANOS) {
      lastLoggedNanos = now;
      log.warn("{} failed ({} in a row)", name, failuresInARow, failure);
    }
    long cap =
        Math.min(
            LONGEST_PAUSE.toNanos(), FIRST_PAUSE.toNanos() << Math.min(failuresInARow - 1, 16));
    // Half of it at random, so that servers that failed together do not come back together.
    return cap / 2 + ThreadLocalRandom.current().nextLong(cap / 2);
  }
}
