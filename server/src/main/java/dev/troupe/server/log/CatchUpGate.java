package dev.troupe.server.log;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.Executor;

/**
 * Lets so many history reads run at a time, first come first served: a thousand readers that all
 * begin at the beginning must not fill the heap with pages, nor Redis with reads. Thread-safe.
 */
final class CatchUpGate {

  private final Executor executor;

  @GuardedBy("this")
  private final Queue<Runnable> waiting = new ArrayDeque<>();

  @GuardedBy("this")
  private int free;

  CatchUpGate(int permits, Executor executor) {
    this.free = permits;
    this.executor = executor;
  }

  /** Runs the read, now or when it is its turn. It has to {@link #leave} when it is done. */
  void enter(Runnable read) {
    synchronized (this) {
      if (free == 0) {
        waiting.add(read);
        return;
      }
      free--;
    }
    read.run();
  }

  /** Makes room for the next read. */
  void leave() {
    Runnable next;
    synchronized (this) {
      next = waiting.poll();
      if (next == null) {
        free++;
        return;
      }
    }
    // Not here: a row of reads that fail at once would go as deep as it is long.
    executor.execute(next);
  }
}
