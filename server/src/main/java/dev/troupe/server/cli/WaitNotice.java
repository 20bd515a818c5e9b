package dev.troupe.server.cli;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** Says what a command waits for when that takes more than a moment. */
final class WaitNotice implements AutoCloseable {

  /** Before that nothing is said. */
  static final Duration MOMENT = Duration.ofSeconds(1);

  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "wait notice");
            thread.setDaemon(true);
            return thread;
          });

  /**
   * Begins to wait.
   *
   * @param err where it is said, once, in a line
   */
  WaitNotice(PrintWriter err, String what) {
    timer.schedule(
        () -> {
          err.println("waiting for " + what);
          err.flush();
        },
        MOMENT.toMillis(),
        TimeUnit.MILLISECONDS);
  }

  /** It is over; nothing is said any more. */
  @Override
  public void close() {
    timer.shutdownNow();
  }
}
