package dev.troupe.server.lock;

import com.google.inject.Inject;
import com.google.protobuf.util.Timestamps;
import dev.troupe.server.grpc.LoadLimit;
import dev.troupe.server.grpc.Names;
import dev.troupe.server.grpc.RequestDigest;
import dev.troupe.v1.AcquireRequest;
import dev.troupe.v1.AcquireResponse;
import dev.troupe.v1.ReleaseLockRequest;
import dev.troupe.v1.ReleaseLockResponse;
import io.grpc.Context;
import java.util.concurrent.CompletionStage;

/**
 * Acquires and gives back, for calls of their own and for those within a stream alike. A request
 * that is not in order is thrown back as a {@code TroupeException}.
 */
final class LockCalls {

  private final LockStore store;
  private final Wishes wishes;
  private final LockSets sets;

  @Inject
  LockCalls(LockStore store, Wishes wishes, LockSets sets) {
    this.store = store;
    this.wishes = wishes;
    this.sets = sets;
  }

  /** Acquires a lock, until the caller is cancelled. */
  CompletionStage<AcquireResponse> acquire(AcquireRequest request, Context caller) {
    LockChecks.acquire(request);
    Wish wish = wishes.of(request);
    if (wish.waitMicros() > 0) {
      LoadLimit.waits();
    }
    return sets.acquire(Names.namespace(request.getNamespace()), wish, caller)
        .thenApply(LockCalls::acquired);
  }

  private static AcquireResponse acquired(LockAnswer answer) {
    if (answer instanceof LockAnswer.Granted granted) {
      return AcquireResponse.newBuilder().setLease(granted.leases().get(0)).build();
    }
    LockAnswer.Refused refused = (LockAnswer.Refused) answer;
    AcquireResponse.Builder response =
        AcquireResponse.newBuilder()
            .setRefusal(refused.why())
            .setHeldBy(refused.owner())
            .setWaitersAhead(refused.ahead());
    if (refused.dueMicros() > 0) {
      response.setHeldUntil(Timestamps.fromMicros(refused.dueMicros()));
    }
    return response.build();
  }

  /** Gives a lease back. */
  CompletionStage<ReleaseLockResponse> release(ReleaseLockRequest request) {
    LockChecks.release(request);
    LockChangeRequest.Release release =
        new LockChangeRequest.Release(
            request.getName(),
            request.getLeaseId(),
            request.getRequestId(),
            RequestDigest.of(request.getRequestId(), request),
            request.getFence());
    return store
        .locate(Names.namespace(request.getNamespace()), request.getName())
        .thenCompose(partition -> store.release(partition, release))
        .thenApply(
            released ->
                ReleaseLockResponse.newBuilder()
                    .setReleased(released.released())
                    .setHoldsLeft(released.holdsLeft())
                    .build());
  }
}
