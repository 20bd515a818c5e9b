package dev.troupe.client;

import dev.troupe.v1.AcquireRequest;
import dev.troupe.v1.AcquireResponse;
import dev.troupe.v1.LockLease;
import dev.troupe.v1.LockServiceGrpc;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * One attempt to get a lock, over as many calls as it takes. All of them carry the same request id,
 * so they are the same wait wherever they arrive.
 */
final class LockWait {

  /** What a call may take beyond its wait. */
  private static final Duration MARGIN = Duration.ofSeconds(5);

  private final ClientRuntime runtime;
  private final LockCalls calls;
  private final LeaseKeeper keeper;
  private final AcquireRequest request;
  private final boolean ownId;
  private final long begunNanos = System.nanoTime();
  private final long endNanos;
  private final Backoff backoff = new Backoff();
  private final CompletableFuture<Optional<LockHandle>> result = new CompletableFuture<>();
  private boolean lastChance;

  private volatile @Nullable CompletableFuture<AcquireResponse> call;

  LockWait(ClientRuntime runtime, LockCalls calls, LeaseKeeper keeper, AcquireRequest request) {
    this.runtime = runtime;
    this.calls = calls;
    this.keeper = keeper;
    this.ownId = request.getRequestId().isEmpty();
    this.request =
        ownId ? request.toBuilder().setRequestId(UUID.randomUUID().toString()).build() : request;
    this.endNanos = begunNanos + Durations.of(request.getWait()).toNanos();
  }

  CompletableFuture<Optional<LockHandle>> begin() {
    result.whenComplete(
        (handle, failure) -> {
          CompletableFuture<AcquireResponse> open = call;
          if (result.isCancelled() && open != null) {
            open.cancel(true);
            giveUp();
          }
        });
    send();
    return result;
  }

  private void send() {
    if (result.isDone()) {
      return;
    }
    Duration left = Duration.ofNanos(Math.max(0, endNanos - System.nanoTime()));
    lastChance = left.isZero();
    CompletableFuture<AcquireResponse> sent =
        calls.acquire(request.toBuilder().setWait(Durations.of(left)).build(), left.plus(MARGIN));
    call = sent;
    sent.whenComplete(
        (response, failure) -> {
          if (failure != null) {
            failed(TroupeClientException.of(failure));
          } else if (response.hasLease()) {
            granted(response.getLease());
          } else {
            result.complete(Optional.empty());
          }
        });
  }

  /**
   * Asks for the lock no longer, so that the others need not wait for this caller to come back. If
   * it was granted on the way, it goes back.
   */
  private void giveUp() {
    runtime
        .call(LockServiceGrpc.getAcquireMethod(), request.toBuilder().clearWait().build(), MARGIN)
        .thenAccept(
            response -> {
              if (response.hasLease()) {
                new LockHandle(runtime, calls, keeper, request.getNamespace(), response.getLease())
                    .release();
              }
            });
  }

  /**
   * Only a time before the first call was sent is sure to be before the lease began: a later one
   * may be given the first one's answer. Under an id of the caller's that may be one of long ago.
   */
  private void granted(LockLease lease) {
    LockHandle handle = new LockHandle(runtime, calls, keeper, request.getNamespace(), lease);
    long sinceNanos = System.nanoTime() - begunNanos;
    boolean isFresh = ownId && sinceNanos <= Durations.of(lease.getTtl()).dividedBy(10).toNanos();
    CompletableFuture<Void> begun = isFresh ? handle.begin(begunNanos) : handle.confirm();
    begun.whenComplete(
        (done, failure) -> {
          if (failure != null) {
            // The lease ran out on the way here.
            failed(TroupeClientException.of(failure));
          } else if (!result.complete(Optional.of(handle))) {
            handle.release();
          }
        });
  }

  private void failed(TroupeClientException failure) {
    if (!failure.isPassing() || lastChance) {
      result.completeExceptionally(failure);
      return;
    }
    runtime.pauses().then(backoff.next(), this::send, () -> result.completeExceptionally(failure));
  }
}
