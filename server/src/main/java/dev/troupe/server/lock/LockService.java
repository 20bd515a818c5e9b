package dev.troupe.server.lock;

import static dev.troupe.server.grpc.Answers.answer;

import com.google.inject.Inject;
import com.google.protobuf.util.Durations;
import com.google.protobuf.util.Timestamps;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.grpc.Checks;
import dev.troupe.server.grpc.LoadLimit;
import dev.troupe.server.grpc.Names;
import dev.troupe.server.grpc.RequestDigest;
import dev.troupe.server.grpc.StatusMapper;
import dev.troupe.v1.AcquireAllRequest;
import dev.troupe.v1.AcquireAllResponse;
import dev.troupe.v1.AcquireRequest;
import dev.troupe.v1.AcquireResponse;
import dev.troupe.v1.ForceReleaseRequest;
import dev.troupe.v1.ForceReleaseResponse;
import dev.troupe.v1.GetLockRequest;
import dev.troupe.v1.GetLockResponse;
import dev.troupe.v1.KeepAliveRequest;
import dev.troupe.v1.KeepAliveResponse;
import dev.troupe.v1.ListLocksRequest;
import dev.troupe.v1.ListLocksResponse;
import dev.troupe.v1.LockServiceGrpc;
import dev.troupe.v1.LockStreamRequest;
import dev.troupe.v1.LockStreamResponse;
import dev.troupe.v1.ReleaseLockRequest;
import dev.troupe.v1.ReleaseLockResponse;
import dev.troupe.v1.RenewRequest;
import dev.troupe.v1.RenewResponse;
import dev.troupe.v1.WatchLocksRequest;
import dev.troupe.v1.WatchLocksResponse;
import io.grpc.Context;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.List;

/** The gRPC face of the locks: check, call, answer. */
final class LockService extends LockServiceGrpc.LockServiceImplBase {

  private final LockStore store;
  private final LockCalls calls;
  private final Wishes wishes;
  private final LockSets sets;
  private final KeepAliveStreams keepAlives;
  private final LockStreams streams;
  private final LockListing listing;
  private final LockWatching watching;

  @Inject
  LockService(
      LockStore store,
      LockCalls calls,
      Wishes wishes,
      LockSets sets,
      KeepAliveStreams keepAlives,
      LockStreams streams,
      LockListing listing,
      LockWatching watching) {
    this.store = store;
    this.calls = calls;
    this.wishes = wishes;
    this.sets = sets;
    this.keepAlives = keepAlives;
    this.streams = streams;
    this.listing = listing;
    this.watching = watching;
  }

  @Override
  public void acquire(AcquireRequest request, StreamObserver<AcquireResponse> caller) {
    answer(caller, () -> calls.acquire(request, Context.current()));
  }

  @Override
  public void acquireAll(AcquireAllRequest request, StreamObserver<AcquireAllResponse> caller) {
    answer(
        caller,
        () -> {
          LockChecks.acquireAll(request);
          Wish wish = wishes.of(request);
          if (wish.waitMicros() > 0) {
            LoadLimit.waits();
          }
          return sets.acquire(Names.namespace(request.getNamespace()), wish, Context.current())
              .thenApply(LockCodec::response);
        });
  }

  @Override
  public void renew(RenewRequest request, StreamObserver<RenewResponse> caller) {
    answer(
        caller,
        () -> {
          LockChecks.renew(request);
          LockChangeRequest.Renew renewal =
              new LockChangeRequest.Renew(
                  request.getName(),
                  request.getLeaseId(),
                  Durations.toMicros(request.getTtl()),
                  request.getRequestId(),
                  RequestDigest.of(request.getRequestId(), request),
                  request.getFence());
          return store
              .locate(Names.namespace(request.getNamespace()), request.getName())
              .thenCompose(partition -> store.renew(partition, renewal))
              .thenApply(
                  renewed ->
                      RenewResponse.newBuilder()
                          .setExpireTime(Timestamps.fromMicros(renewed.dueMicros()))
                          .build());
        });
  }

  @Override
  public StreamObserver<KeepAliveRequest> keepAlive(StreamObserver<KeepAliveResponse> caller) {
    return keepAlives.open(caller);
  }

  @Override
  public void releaseLock(ReleaseLockRequest request, StreamObserver<ReleaseLockResponse> caller) {
    answer(caller, () -> calls.release(request));
  }

  @Override
  public StreamObserver<LockStreamRequest> lockStream(StreamObserver<LockStreamResponse> caller) {
    return streams.open(caller);
  }

  @Override
  public void getLock(GetLockRequest request, StreamObserver<GetLockResponse> caller) {
    answer(
        caller,
        () -> {
          new Checks().namespace(request.getNamespace()).name("name", request.getName()).done();
          return store
              .locate(Names.namespace(request.getNamespace()), request.getName())
              .thenCompose(partition -> store.get(partition, List.of(request.getName())))
              .thenApply(locks -> GetLockResponse.newBuilder().setLock(locks.get(0)).build());
        });
  }

  @Override
  public void listLocks(ListLocksRequest request, StreamObserver<ListLocksResponse> caller) {
    answer(
        caller,
        () -> {
          LockChecks.list(request);
          return listing.list(request);
        });
  }

  @Override
  public void forceRelease(
      ForceReleaseRequest request, StreamObserver<ForceReleaseResponse> caller) {
    answer(
        caller,
        () -> {
          LockChecks.force(request);
          return store
              .locate(Names.namespace(request.getNamespace()), request.getName())
              .thenCompose(
                  partition ->
                      store.force(
                          partition,
                          request.getName(),
                          request.getOwner(),
                          request.getReason(),
                          request.getFence(),
                          request.getRequestId(),
                          RequestDigest.of(request.getRequestId(), request)))
              .thenApply(
                  forced ->
                      ForceReleaseResponse.newBuilder()
                          .addAllReleased(forced.leases())
                          .setMore(forced.more())
                          .build());
        });
  }

  @Override
  public void watchLocks(WatchLocksRequest request, StreamObserver<WatchLocksResponse> caller) {
    try {
      LockChecks.watch(request);
    } catch (TroupeException refusal) {
      caller.onError(StatusMapper.toStatus(refusal));
      return;
    }
    watching.watch(request, (ServerCallStreamObserver<WatchLocksResponse>) caller);
  }
}
