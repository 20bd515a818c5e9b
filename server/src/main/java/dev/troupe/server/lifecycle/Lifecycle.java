package dev.troupe.server.lifecycle;

import com.google.common.base.Ticker;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Starts services phase by phase, within a phase in the order of their registration, and stops them
 * in reverse.
 *
 * <p>When a start fails, what was started (the failed one included) is stopped before the failure
 * is reported. A stop step that fails or takes longer than its grace and a second is logged and
 * left behind; the others are stopped all the same. Thread-safe.
 */
public final class Lifecycle {

  private static final Logger log = LoggerFactory.getLogger(Lifecycle.class);

  /** What a stop step gets beyond its grace, to cut off what did not end by itself. */
  private static final Duration CUT_OFF = Duration.ofSeconds(1);

  private final Ticker ticker;
  private final Duration grace;
  private final Executor steps = step -> thread(step).start();
  private final List<Named> registered = new ArrayList<>();
  private final Deque<Named> started = new ArrayDeque<>();
  private @Nullable CompletableFuture<@Nullable Void> starting;
  private boolean stopping;
  private volatile boolean failed;
  private final CompletableFuture<@Nullable Void> stopped = new CompletableFuture<>();

  /** When a service starts relative to the others; the later it starts, the earlier it stops. */
  public enum Phase {
    /** What everything else reports to: telemetry. */
    FOUNDATION,
    /** What data is kept in: Redis. */
    STORE,
    /** What works on that data: periodic tasks and features. */
    WORK,
    /** What lets callers in: the gRPC server. */
    DOOR
  }

  private record Named(Phase phase, String name, Service service) {}

  private interface Step {
    CompletionStage<?> run() throws Exception;
  }

  /**
   * Creates an empty lifecycle.
   *
   * @param grace how long each stop step may take for work in hand
   */
  public Lifecycle(Ticker ticker, Duration grace) {
    this.ticker = ticker;
    this.grace = grace;
  }

  /**
   * Adds a service of the phase {@link Phase#WORK}.
   *
   * @return the service
   */
  public <S extends Service> S register(String name, S service) {
    return register(Phase.WORK, name, service);
  }

  /**
   * Adds a service, to be started after and stopped before those of the same phase that were
   * registered earlier.
   *
   * @return the service
   */
  public synchronized <S extends Service> S register(Phase phase, String name, S service) {
    if (starting != null || stopping) {
      throw new IllegalStateException("too late to register " + name);
    }
    registered.add(new Named(phase, name, service));
    return service;
  }

  /** Starts everything, one after the other. */
  public synchronized CompletionStage<@Nullable Void> start() {
    if (starting != null || stopping) {
      throw new IllegalStateException("started before");
    }
    CompletableFuture<@Nullable Void> chain = CompletableFuture.completedFuture(null);
    registered.sort(Comparator.comparing(Named::phase));
    for (Named named : registered) {
      chain = chain.thenCompose(done -> startOne(named));
    }
    starting = chain;
    CompletableFuture<@Nullable Void> result = new CompletableFuture<>();
    chain.whenComplete(
        (done, failure) -> {
          if (failure == null) {
            result.complete(null);
          } else {
            failed = true;
            stop().whenComplete((stopped, never) -> result.completeExceptionally(cause(failure)));
          }
        });
    return result;
  }

  private CompletableFuture<@Nullable Void> startOne(Named named) {
    synchronized (this) {
      if (stopping) {
        return CompletableFuture.failedFuture(
            new IllegalStateException("stopped before " + named.name() + " was started"));
      }
      started.push(named);
    }
    long begun = ticker.read();
    return run(named.service()::start)
        .handle(
            (done, failure) -> {
              if (failure != null) {
                throw new IllegalStateException(
                    named.name() + " did not start: " + cause(failure).getMessage(),
                    cause(failure));
              }
              log.debug("started {} in {} ms", named.name(), millisSince(begun));
              return null;
            });
  }

  /**
   * Stops what was started; a start under way is waited for, within one grace. Never fails, and
   * further calls return the same.
   */
  public CompletionStage<@Nullable Void> stop() {
    @Nullable CompletableFuture<@Nullable Void> begun;
    synchronized (this) {
      if (stopping) {
        return stopped();
      }
      stopping = true;
      begun = starting;
    }
    if (begun == null) {
      stopNext();
      return stopped();
    }
    begun
        .copy()
        .orTimeout(grace.toNanos(), TimeUnit.NANOSECONDS)
        .whenComplete((done, failure) -> stopNext());
    return stopped();
  }

  /** Complete once everything has stopped. */
  public CompletionStage<@Nullable Void> stopped() {
    return stopped.minimalCompletionStage();
  }

  private void stopNext() {
    Named next;
    synchronized (this) {
      next = started.poll();
    }
    if (next == null) {
      stopped.complete(null);
      return;
    }
    long begun = ticker.read();
    run(() -> next.service().stop(grace))
        .orTimeout(grace.plus(CUT_OFF).toNanos(), TimeUnit.NANOSECONDS)
        .whenComplete(
            (done, failure) -> {
              logStop(next.name(), begun, failure);
              stopNext();
            });
  }

  private void logStop(String name, long begun, @Nullable Throwable failure) {
    if (failure == null) {
      // Why the start failed is not to be looked for behind this.
      log.atLevel(failed ? Level.DEBUG : Level.INFO)
          .log("stopped {} in {} ms", name, millisSince(begun));
    } else if (cause(failure) instanceof TimeoutException) {
      log.warn("{} did not stop within {} ms; leaving it behind", name, millisSince(begun));
    } else {
      log.warn("{} did not stop well", name, cause(failure));
    }
  }

  private CompletableFuture<@Nullable Void> run(Step step) {
    CompletableFuture<@Nullable Void> result = new CompletableFuture<>();
    steps.execute(
        () -> {
          try {
            step.run()
                .whenComplete(
                    (done, failure) -> {
                      if (failure == null) {
                        result.complete(null);
                      } else {
                        result.completeExceptionally(failure);
                      }
                    });
          } catch (Throwable failure) {
            result.completeExceptionally(failure);
          }
        });
    return result;
  }

  private static Thread thread(Runnable step) {
    Thread thread = new Thread(step, "lifecycle");
    // A step that hangs must not keep the process alive.
    thread.setDaemon(true);
    return thread;
  }

  private static Throwable cause(Throwable failure) {
    return failure instanceof CompletionException && failure.getCause() != null
        ? failure.getCause()
        : failure;
  }

  private long millisSince(long begun) {
    return TimeUnit.NANOSECONDS.toMillis(ticker.read() - begun);
  }
}
