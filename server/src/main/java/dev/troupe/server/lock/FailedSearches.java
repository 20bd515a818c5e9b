package dev.troupe.server.lock;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.troupe.server.error.TroupeException;
import dev.troupe.v1.ErrorReason;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Searches for deadlocks that the store could not answer. Nothing else would look at these waits
 * again, so they are made again: one after a pause until one succeeds, then the others, one after
 * the other. Thread-safe.
 */
final class FailedSearches {

  private static final Logger log = LoggerFactory.getLogger(FailedSearches.class);
  private static final long PAUSE_MILLIS = 1000;

  /** Whom a search begins with. */
  record Start(String namespace, String owner) {}

  private final ScheduledExecutorService timers;
  private final Consumer<Start> search;

  @GuardedBy("this")
  private final Set<Start> left = new LinkedHashSet<>();

  /** Which one is being made again. */
  @GuardedBy("this")
  private @Nullable Start trial;

  /** Whether the next trial is on its way. */
  @GuardedBy("this")
  private boolean pausing;

  /**
   * None failed yet.
   *
   * @param search makes one again, and tells of its end here
   */
  FailedSearches(ScheduledExecutorService timers, Consumer<Start> search) {
    this.timers = timers;
    this.search = search;
  }

  /** A search failed. */
  void failed(Start start, Throwable failure) {
    if (isOfTheStore(failure)) {
      keep(start, failure);
    } else {
      log.error("a search for deadlocks failed; those who wait time out", failure);
      drop(start);
    }
  }

  private static boolean isOfTheStore(Throwable failure) {
    Throwable cause =
        failure instanceof CompletionException && failure.getCause() != null
            ? failure.getCause()
            : failure;
    return cause instanceof TimeoutException
        || (cause instanceof TroupeException refusal
            && (refusal.reason() == ErrorReason.ERROR_REASON_STORE_UNAVAILABLE
                || refusal.reason() == ErrorReason.ERROR_REASON_OUTCOME_UNKNOWN));
  }

  private synchronized void keep(Start start, Throwable failure) {
    if (left.isEmpty()) {
      log.warn("searches for deadlocks fail, and are made again", failure);
    }
    // The one that was tried goes to the end.
    left.remove(start);
    left.add(start);
    if (start.equals(trial)) {
      trial = null;
    }
    pause();
  }

  private synchronized void drop(Start start) {
    left.remove(start);
    if (start.equals(trial)) {
      trial = null;
      pause();
    }
  }

  @GuardedBy("this")
  private void pause() {
    if (pausing || trial != null || left.isEmpty()) {
      return;
    }
    try {
      timers.schedule(this::tryNext, PAUSE_MILLIS, TimeUnit.MILLISECONDS);
      pausing = true;
    } catch (RejectedExecutionException stopping) {
      log.debug("the server stops");
    }
  }

  private void tryNext() {
    Start next;
    synchronized (this) {
      pausing = false;
      if (trial != null || left.isEmpty()) {
        return;
      }
      next = left.iterator().next();
      trial = next;
    }
    search.accept(next);
  }

  /** A search came to its end, whatever it found. Only of a trial is it sure that it saw all. */
  void succeeded(Start start) {
    synchronized (this) {
      if (!start.equals(trial)) {
        return;
      }
      trial = null;
      left.remove(start);
      if (left.isEmpty()) {
        log.info("searches for deadlocks work again");
      }
    }
    tryNext();
  }
}
