package dev.troupe.client;

import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Pauses before something is tried again. A client that closes ends them, as nobody else would tell
 * those who wait for what was to be tried. Thread-safe.
 */
final class Pauses implements AutoCloseable {

  private final ScheduledExecutorService timer;
  private final Set<Pause> open = ConcurrentHashMap.newKeySet();

  Pauses(ScheduledExecutorService timer) {
    this.timer = timer;
  }

  private final class Pause {
    private final Runnable next;
    private final Runnable whenClosed;

    Pause(Runnable next, Runnable whenClosed) {
      this.next = next;
      this.whenClosed = whenClosed;
    }

    void over() {
      if (open.remove(this)) {
        next.run();
      }
    }

    void closed() {
      if (open.remove(this)) {
        whenClosed.run();
      }
    }
  }

  /**
   * Runs one of the two, once.
   *
   * @param next after the pause, on the client's timer
   * @param whenClosed when the client closes before, or has
   */
  void then(Duration wait, Runnable next, Runnable whenClosed) {
    Pause pause = new Pause(next, whenClosed);
    open.add(pause);
    try {
      timer.schedule(pause::over, wait.toMillis(), TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException closed) {
      pause.closed();
    }
    if (timer.isShutdown()) {
      pause.closed();
    }
  }

  /** Ends all; the timer is to be stopped before. */
  @Override
  public void close() {
    List.copyOf(open).forEach(Pause::closed);
  }
}
