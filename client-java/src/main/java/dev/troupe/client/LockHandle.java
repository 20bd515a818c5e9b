package dev.troupe.client;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.troupe.v1.Fence;
import dev.troupe.v1.LockLease;
import dev.troupe.v1.LockServiceGrpc;
import dev.troupe.v1.ReleaseLockRequest;
import dev.troupe.v1.ReleaseLockResponse;
import dev.troupe.v1.RenewRequest;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A lock that is held, and renewed until it is released. {@link #lost} is done while the lease
 * still has a tenth of its time (100 milliseconds at least) to run, if it could not be renewed
 * until then: whoever stops at that leaves nothing unguarded. Times are measured from before each
 * request was sent, by the clock of this process alone.
 *
 * <p>A process that is paused as a whole cannot be told. Send {@link #fence} along with what is
 * written under the lock: then a late write is refused. Thread-safe.
 */
public final class LockHandle implements AutoCloseable {

  private static final Duration LEAST_MARGIN = Duration.ofMillis(100);
  private static final Duration RELEASE_TIMEOUT = Duration.ofSeconds(5);

  private final ClientRuntime runtime;
  private final LockCalls calls;
  private final LeaseKeeper keeper;
  private final String namespace;
  private final LockLease lease;
  private final long ttlNanos;
  private final long marginNanos;
  private final CompletableFuture<String> lost = new CompletableFuture<>();

  @GuardedBy("this")
  private long safeUntilNanos;

  @GuardedBy("this")
  private @Nullable ScheduledFuture<?> alarm;

  @GuardedBy("this")
  private @Nullable CompletableFuture<Boolean> released;

  LockHandle(
      ClientRuntime runtime,
      LockCalls calls,
      LeaseKeeper keeper,
      String namespace,
      LockLease lease) {
    this.runtime = runtime;
    this.calls = calls;
    this.keeper = keeper;
    this.namespace = namespace;
    this.lease = lease;
    this.ttlNanos = Durations.of(lease.getTtl()).toNanos();
    this.marginNanos = Math.max(LEAST_MARGIN.toNanos(), ttlNanos / 10);
  }

  /** Begins to renew a lease that was asked for at a time. */
  CompletableFuture<Void> begin(long askedNanos) {
    renewed(askedNanos);
    keeper.add(this);
    return CompletableFuture.completedFuture(null);
  }

  /** Renews a lease first whose beginning is not known here. */
  CompletableFuture<Void> confirm() {
    long askedNanos = System.nanoTime();
    return runtime
        .call(
            LockServiceGrpc.getRenewMethod(),
            RenewRequest.newBuilder()
                .setNamespace(namespace)
                .setName(lease.getName())
                .setLeaseId(lease.getLeaseId())
                .build(),
            Duration.ofNanos(ttlNanos))
        .thenCompose(renewal -> begin(askedNanos));
  }

  /** The lease as it was granted. */
  public LockLease lease() {
    return lease;
  }

  /** Higher than any token granted for this lock before. */
  public long fencingToken() {
    return lease.getFencingToken();
  }

  /** To be sent along with every write that the lock guards. */
  public Fence fence() {
    return lease.getFence();
  }

  /** Whether the lock is held and safe at this moment. */
  public boolean isHeld() {
    synchronized (this) {
      return released == null && !lost.isDone() && System.nanoTime() - safeUntilNanos < 0;
    }
  }

  /** Done with the reason when the lock is not safe any more, and not when it is released. */
  public CompletableFuture<String> lost() {
    return lost;
  }

  String namespace() {
    return namespace;
  }

  /** When to ask for the next renewal: a third into what is left. */
  synchronized long renewAtNanos() {
    return safeUntilNanos + marginNanos - ttlNanos + ttlNanos / 3;
  }

  /** The lease lasts for its whole time from when this was asked for. */
  void renewed(long askedNanos) {
    if (!isWatchedUntil(askedNanos + ttlNanos - marginNanos)) {
      // Not under the lock: who hears of it may release the lock right here.
      lost.complete("the client was closed");
    }
  }

  private synchronized boolean isWatchedUntil(long nanos) {
    if (released != null || lost.isDone()) {
      return true;
    }
    safeUntilNanos = nanos;
    if (alarm != null) {
      alarm.cancel(false);
    }
    try {
      alarm =
          runtime
              .timer()
              .schedule(
                  () -> lose("it could not be renewed in time"),
                  Math.max(0, nanos - System.nanoTime()),
                  TimeUnit.NANOSECONDS);
      return true;
    } catch (RejectedExecutionException clientClosed) {
      return false;
    }
  }

  /** The lock is not, or soon not, this holder's any more. */
  void lose(String why) {
    synchronized (this) {
      if (released != null) {
        return;
      }
    }
    keeper.remove(this);
    if (lost.complete(why)) {
      release();
    }
  }

  /**
   * Gives the lock back, once; tells whether it was still held. A lock that cannot be given back
   * runs out by itself.
   */
  public CompletableFuture<Boolean> release() {
    CompletableFuture<Boolean> answer = new CompletableFuture<>();
    synchronized (this) {
      if (released != null) {
        return released;
      }
      released = answer;
      if (alarm != null) {
        alarm.cancel(false);
      }
    }
    keeper.remove(this);
    calls
        .release(
            ReleaseLockRequest.newBuilder()
                .setNamespace(namespace)
                .setName(lease.getName())
                .setLeaseId(lease.getLeaseId())
                .build(),
            RELEASE_TIMEOUT)
        .thenApply(ReleaseLockResponse::getReleased)
        .whenComplete(
            (done, failure) -> {
              if (failure != null) {
                answer.completeExceptionally(failure);
              } else {
                answer.complete(done);
              }
            });
    return answer;
  }

  /** Like {@link #release}, waiting up to 5 seconds and leaving it at that. */
  @Override
  public void close() {
    Blocking.await(release().exceptionally(untold -> false));
  }
}
