package dev.troupe.server.lock;

import com.google.inject.Inject;
import com.google.protobuf.util.Timestamps;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.grpc.Drainable;
import dev.troupe.server.grpc.Names;
import dev.troupe.server.grpc.StatusMapper;
import dev.troupe.v1.Fence;
import dev.troupe.v1.KeepAliveOutcome;
import dev.troupe.v1.KeepAliveRequest;
import dev.troupe.v1.KeepAliveResponse;
import dev.troupe.v1.LeaseRef;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;

/** The streams that renew leases: many at a time, those of a partition in shared scripts. */
final class KeepAliveStreams implements Drainable {

  private static final Duration RETRY_ELSEWHERE = Duration.ofMillis(100);

  private final LockStore store;
  private final Set<KeepAliveStream> streams = ConcurrentHashMap.newKeySet();
  private volatile boolean draining;

  @Inject
  KeepAliveStreams(LockStore store) {
    this.store = store;
  }

  StreamObserver<KeepAliveRequest> open(StreamObserver<KeepAliveResponse> caller) {
    KeepAliveStream stream =
        new KeepAliveStream((ServerCallStreamObserver<KeepAliveResponse>) caller);
    streams.add(stream);
    if (draining) {
      stream.fail(shuttingDown());
    }
    return stream;
  }

  @Override
  public CompletionStage<?> drain() {
    draining = true;
    streams.forEach(stream -> stream.fail(shuttingDown()));
    return CompletableFuture.completedFuture(null);
  }

  private static TroupeException shuttingDown() {
    return TroupeException.shuttingDown("go on with another one", RETRY_ELSEWHERE);
  }

  private CompletionStage<KeepAliveOutcome> renew(String namespace, LeaseRef lease, Fence fence) {
    return store
        .locate(namespace, lease.getName())
        .thenCompose(
            partition ->
                store.renew(
                    partition,
                    new LockChangeRequest.Renew(
                        lease.getName(), lease.getLeaseId(), 0, "", "", fence)))
        .handle(
            (renewed, failure) -> {
              KeepAliveOutcome.Builder outcome = KeepAliveOutcome.newBuilder().setLease(lease);
              if (failure != null) {
                outcome.setError(StatusMapper.toItemError(failure));
              } else {
                outcome.setExpireTime(Timestamps.fromMicros(renewed.dueMicros()));
              }
              return outcome.build();
            });
  }

  /** One stream; it reads the next message when the last one is answered. */
  private final class KeepAliveStream implements StreamObserver<KeepAliveRequest> {

    private final ServerCallStreamObserver<KeepAliveResponse> caller;
    private boolean over;
    private boolean leaving;
    private boolean answering;
    private boolean waitingForReady;

    KeepAliveStream(ServerCallStreamObserver<KeepAliveResponse> caller) {
      this.caller = caller;
      caller.disableAutoRequest();
      caller.setOnReadyHandler(this::ready);
      caller.setOnCancelHandler(this::end);
      caller.setOnCloseHandler(this::end);
      caller.request(1);
    }

    @Override
    public void onNext(KeepAliveRequest request) {
      try {
        LockChecks.keepAlive(request);
      } catch (TroupeException refusal) {
        fail(refusal);
        return;
      }
      synchronized (this) {
        answering = true;
      }
      String namespace = Names.namespace(request.getNamespace());
      CompletionStage<List<KeepAliveOutcome>> outcomes =
          CompletableFuture.completedFuture(new ArrayList<>(request.getLeasesCount()));
      for (LeaseRef lease : request.getLeasesList()) {
        outcomes =
            outcomes.thenCombine(
                renew(namespace, lease, request.getFence()),
                (all, one) -> {
                  all.add(one);
                  return all;
                });
      }
      outcomes.whenComplete(
          (all, failure) -> {
            if (failure != null) {
              fail(failure);
            } else {
              answer(KeepAliveResponse.newBuilder().addAllOutcomes(all).build());
            }
          });
    }

    private void answer(KeepAliveResponse response) {
      synchronized (this) {
        answering = false;
        if (over) {
          return;
        }
        caller.onNext(response);
        waitingForReady = true;
      }
      ready();
      leaveIfAnswered();
    }

    private void ready() {
      synchronized (this) {
        if (over || !waitingForReady || !caller.isReady()) {
          return;
        }
        waitingForReady = false;
      }
      caller.request(1);
    }

    synchronized void fail(Throwable failure) {
      if (!over) {
        end();
        caller.onError(StatusMapper.toStatus(failure));
      }
    }

    @Override
    public void onError(Throwable failure) {
      end();
    }

    @Override
    public void onCompleted() {
      synchronized (this) {
        leaving = true;
      }
      leaveIfAnswered();
    }

    private synchronized void leaveIfAnswered() {
      if (leaving && !answering && !over) {
        end();
        caller.onCompleted();
      }
    }

    private synchronized void end() {
      over = true;
      streams.remove(this);
    }
  }
}
