package dev.troupe.server.lock;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.troupe.server.error.TroupeException;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Searches for deadlocks that the store could not answer. Nothing else would look at these waits
 * again, so they are made again: one after a pause, and the others when that one succeeds.
 * Thread-safe.
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

  /** Which one is made again, now or after the pause. */
  @GuardedBy("this")
  private @Nullable Start trial;

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
    if (!isOfTheStore(failure)) {
      log.error("a search for deadlocks failed; those who wait time out", failure);
      succeeded(start);
    } else {
      makeAgain(start, failure);
    }
  }

  private static boolean isOfTheStore(Throwable failure) {
    return failure instanceof TroupeException
        || (failure instanceof CompletionException
            && failure.getCause() instanceof TroupeException);
  }

  private synchronized void makeAgain(Start start, Throwable failure) {
    if (left.isEmpty()) {
      log.warn("searches for deadlocks fail, and are made again", failure);
    }
    // The one that was tried goes to the end.
    left.remove(start);
    left.add(start);
    if (trial != null && !trial.equals(start)) {
      return;
    }
    Start next = left.iterator().next();
    trial = next;
    try {
      timers.schedule(() -> search.accept(next), PAUSE_MILLIS, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException stopping) {
      log.debug("the server stops");
    }
  }

  /** A search came to its end, whatever it found. */
  void succeeded(Start start) {
    Set<Start> others;
    synchronized (this) {
      left.remove(start);
      if (!start.equals(trial)) {
        return;
      }
      trial = null;
      others = new LinkedHashSet<>(left);
      left.clear();
    }
    log.info("searches for deadlocks work again");
    others.forEach(search);
  }
}
