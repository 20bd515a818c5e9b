package dev.troupe.server.memory;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeoutException;

/** Those who wait for an index to get to a revision. Thread-safe. */
final class RevisionWaits {

  /** Of an index that is not complete. */
  private static final long NOWHERE = -1;

  private record Wait(long revision, CompletableFuture<Long> reached) {}

  @GuardedBy("this")
  private final List<Wait> waits = new ArrayList<>();

  @GuardedBy("this")
  private long revision = NOWHERE;

  @GuardedBy("this")
  private boolean closed;

  /** Completes, with where the index is, when it is complete and at a revision. */
  CompletableFuture<Long> reached(long wanted) {
    CompletableFuture<Long> reached = new CompletableFuture<>();
    synchronized (this) {
      if (revision != NOWHERE && revision >= wanted) {
        reached.complete(revision);
        return reached;
      }
      if (closed) {
        reached.completeExceptionally(new TimeoutException("let go"));
        return reached;
      }
      Wait wait = new Wait(wanted, reached);
      waits.add(wait);
      reached.whenComplete((done, failure) -> forget(wait));
    }
    return reached;
  }

  private synchronized void forget(Wait wait) {
    waits.remove(wait);
  }

  /** The index is not complete any more. */
  synchronized void holdBack() {
    revision = NOWHERE;
  }

  /** The index is complete and there. */
  void advance(long to) {
    List<Wait> due;
    synchronized (this) {
      revision = closed ? NOWHERE : to;
      due = waits.stream().filter(wait -> wait.revision <= to).toList();
    }
    due.forEach(wait -> wait.reached.complete(to));
  }

  /** Those who wait are told that the index did not get there. */
  void close() {
    List<Wait> left;
    synchronized (this) {
      closed = true;
      revision = NOWHERE;
      left = List.copyOf(waits);
    }
    left.forEach(wait -> wait.reached.completeExceptionally(new TimeoutException("let go")));
  }
}
