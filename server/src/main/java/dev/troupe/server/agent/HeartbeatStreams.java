package dev.troupe.server.agent;

import com.google.inject.Inject;
import dev.troupe.server.grpc.Drainable;
import dev.troupe.v1.HeartbeatRequest;
import dev.troupe.v1.HeartbeatResponse;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;

/** The heartbeat streams of this server, and what they work with. */
final class HeartbeatStreams implements Drainable {

  private final AgentStore store;
  private final HeartbeatBatcher batcher;
  private final CommandStore commands;
  private final AgentBell bell;
  private final Set<HeartbeatStream> streams = ConcurrentHashMap.newKeySet();
  private volatile boolean draining;

  @Inject
  HeartbeatStreams(
      AgentStore store, HeartbeatBatcher batcher, CommandStore commands, AgentBell bell) {
    this.store = store;
    this.batcher = batcher;
    this.commands = commands;
    this.bell = bell;
  }

  AgentStore store() {
    return store;
  }

  HeartbeatBatcher batcher() {
    return batcher;
  }

  CommandStore commands() {
    return commands;
  }

  AgentBell bell() {
    return bell;
  }

  StreamObserver<HeartbeatRequest> open(StreamObserver<HeartbeatResponse> caller) {
    HeartbeatStream stream =
        new HeartbeatStream(this, (ServerCallStreamObserver<HeartbeatResponse>) caller);
    streams.add(stream);
    if (draining) {
      stream.goAway();
    }
    return stream;
  }

  void ended(HeartbeatStream stream) {
    streams.remove(stream);
  }

  @Override
  public CompletionStage<?> drain() {
    draining = true;
    streams.forEach(HeartbeatStream::goAway);
    return CompletableFuture.completedFuture(null);
  }
}
