package dev.troupe.client;

import dev.troupe.v1.AcquireRequest;
import dev.troupe.v1.AcquireResponse;
import dev.troupe.v1.ForceReleaseRequest;
import dev.troupe.v1.ForceReleaseResponse;
import dev.troupe.v1.GetLockRequest;
import dev.troupe.v1.GetLockResponse;
import dev.troupe.v1.ListLocksRequest;
import dev.troupe.v1.ListLocksResponse;
import dev.troupe.v1.LockInfo;
import dev.troupe.v1.LockServiceGrpc;
import dev.troupe.v1.WatchLocksRequest;
import dev.troupe.v1.WatchLocksResponse;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * Locks, asynchronously. A future fails with {@link TroupeClientException}; cancelling it gives up
 * the wait. Limits, defaults and errors are those of {@code LockService}. Locks are acquired and
 * released over one stream, where the server has it.
 */
public final class LockClient {

  private final ClientRuntime runtime;
  private final LockCalls calls;
  private final LeaseKeeper keeper;

  LockClient(ClientRuntime runtime) {
    this.runtime = runtime;
    this.calls = new LockCalls(runtime);
    this.keeper = new LeaseKeeper(runtime);
  }

  /**
   * Acquires an exclusive lock for 30 seconds at a time, renewed until it is released.
   *
   * @param owner who wants it: an agent, a process, a transaction. Owners that wait for each other
   *     in a circle are found, so threads that wait apart need owners of their own.
   * @param wait how long to wait; zero for an answer at once
   * @return the lock, or nothing when it could not be had in time
   */
  public CompletableFuture<Optional<LockHandle>> acquire(String name, String owner, Duration wait) {
    return acquire(
        AcquireRequest.newBuilder()
            .setName(name)
            .setOwner(owner)
            .setWait(Durations.of(wait))
            .build());
  }

  /**
   * The same with all that the contract offers. A lost connection or server is waited out: the
   * request is repeated under its id and keeps its place in the queue.
   */
  public CompletableFuture<Optional<LockHandle>> acquire(AcquireRequest request) {
    return new LockWait(runtime, calls, keeper, request).begin();
  }

  /** One call, without repeats beyond gRPC's own, and without renewal of what it yields. */
  public CompletableFuture<AcquireResponse> acquireOnce(AcquireRequest request) {
    return runtime.call(
        LockServiceGrpc.getAcquireMethod(),
        request,
        runtime.callTimeout().plus(Durations.of(request.getWait())));
  }

  /** A lock with its holders and waiters. */
  public CompletableFuture<LockInfo> get(String name) {
    return runtime
        .call(LockServiceGrpc.getGetLockMethod(), GetLockRequest.newBuilder().setName(name).build())
        .thenApply(GetLockResponse::getLock);
  }

  /** One page of the locks that fit. */
  public CompletableFuture<ListLocksResponse> list(ListLocksRequest request) {
    return runtime.call(LockServiceGrpc.getListLocksMethod(), request);
  }

  /** Takes a lock away from its holders. */
  public CompletableFuture<ForceReleaseResponse> forceRelease(ForceReleaseRequest request) {
    return runtime.call(LockServiceGrpc.getForceReleaseMethod(), request);
  }

  /**
   * Hears of every change from now on, or from the request's resume token, across lost connections.
   */
  public Subscription watch(WatchLocksRequest request, Consumer<WatchLocksResponse> consumer) {
    return new ResumingStream<>(
            runtime,
            LockServiceGrpc.getWatchLocksMethod(),
            token -> request.toBuilder().setResumeToken(token).build(),
            request.getResumeToken(),
            (stream, response) -> {
              consumer.accept(response);
              return response.getResumeToken();
            })
        .open();
  }

  /** An election that candidates of this name take part in. */
  public Election election(String name) {
    return new Election(this, name);
  }
}
