package dev.troupe.server.event;

import com.google.common.base.Ticker;
import com.google.inject.Inject;
import dev.troupe.server.grpc.Drainable;
import dev.troupe.v1.ConsumeRequest;
import dev.troupe.v1.ConsumeResponse;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;

/** The members' streams of this server, and what each of them works with. */
final class ConsumeStreams implements Drainable {

  private final GroupStore store;
  private final GroupCalls calls;
  private final GroupDispatchers dispatchers;
  private final EventConfig config;
  private final Ticker ticker;
  private final Set<ConsumeStream> streams = ConcurrentHashMap.newKeySet();
  private volatile boolean stopping;

  @Inject
  ConsumeStreams(
      GroupStore store,
      GroupCalls calls,
      GroupDispatchers dispatchers,
      EventConfig config,
      Ticker ticker) {
    this.store = store;
    this.calls = calls;
    this.dispatchers = dispatchers;
    this.config = config;
    this.ticker = ticker;
  }

  StreamObserver<ConsumeRequest> open(StreamObserver<ConsumeResponse> caller) {
    ConsumeStream stream =
        new ConsumeStream(this, (ServerCallStreamObserver<ConsumeResponse>) caller);
    streams.add(stream);
    return stream;
  }

  void remove(ConsumeStream stream) {
    streams.remove(stream);
  }

  GroupStore store() {
    return store;
  }

  GroupCalls calls() {
    return calls;
  }

  GroupDispatchers dispatchers() {
    return dispatchers;
  }

  boolean isStopping() {
    return stopping;
  }

  long nanos() {
    return ticker.read();
  }

  /**
   * Tells those who hear nothing how far their groups are; to be called about ten times a second.
   */
  CompletionStage<Duration> tick() {
    long now = ticker.read();
    long idle = config.checkpointInterval().toNanos();
    streams.forEach(stream -> stream.tick(now, idle));
    return CompletableFuture.completedFuture(Duration.ofMillis(100));
  }

  @Override
  public CompletionStage<?> drain() {
    stopping = true;
    streams.forEach(ConsumeStream::goAway);
    return CompletableFuture.completedFuture(null);
  }
}
