package dev.troupe.server.lock;

import com.google.inject.Inject;
import dev.troupe.server.grpc.Drainable;
import dev.troupe.v1.LockStreamRequest;
import dev.troupe.v1.LockStreamResponse;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;

/** The streams that acquire and give back, many calls at a time. */
final class LockStreams implements Drainable {

  private final LockCalls calls;
  private final ScheduledExecutorService timers;
  private final Set<LockStream> streams = ConcurrentHashMap.newKeySet();
  private volatile boolean draining;

  @Inject
  LockStreams(LockCalls calls, ScheduledExecutorService timers) {
    this.calls = calls;
    this.timers = timers;
  }

  StreamObserver<LockStreamRequest> open(StreamObserver<LockStreamResponse> caller) {
    LockStream stream =
        new LockStream(
            calls, timers, (ServerCallStreamObserver<LockStreamResponse>) caller, streams::remove);
    streams.add(stream);
    stream.begin();
    if (draining) {
      stream.drain();
    }
    return stream;
  }

  /** Those who wait are told so by {@link LockWaits}; what else was read is answered anyway. */
  @Override
  public CompletionStage<?> drain() {
    draining = true;
    streams.forEach(LockStream::drain);
    return CompletableFuture.completedFuture(null);
  }
}
