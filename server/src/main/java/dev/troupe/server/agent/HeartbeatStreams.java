package dev.troupe.server.agent;

import com.google.inject.Inject;
import com.google.protobuf.util.Durations;
import com.google.protobuf.util.Timestamps;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.grpc.Drainable;
import dev.troupe.server.grpc.Names;
import dev.troupe.server.grpc.StatusMapper;
import dev.troupe.v1.HeartbeatOutcome;
import dev.troupe.v1.HeartbeatRequest;
import dev.troupe.v1.HeartbeatResponse;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;

/** The heartbeat streams of this server. */
final class HeartbeatStreams implements Drainable {

  private final AgentStore store;
  private final HeartbeatBatcher batcher;

  /** Beyond that a stream waits for answers before it says more. */
  private static final int MOST_UNANSWERED = 4096;

  private final Set<HeartbeatStream> streams = ConcurrentHashMap.newKeySet();
  private volatile boolean draining;

  @Inject
  HeartbeatStreams(AgentStore store, HeartbeatBatcher batcher) {
    this.store = store;
    this.batcher = batcher;
  }

  StreamObserver<HeartbeatRequest> open(StreamObserver<HeartbeatResponse> caller) {
    HeartbeatStream stream =
        new HeartbeatStream((ServerCallStreamObserver<HeartbeatResponse>) caller);
    streams.add(stream);
    if (draining) {
      stream.goAway();
    }
    return stream;
  }

  @Override
  public CompletionStage<?> drain() {
    draining = true;
    streams.forEach(HeartbeatStream::goAway);
    return CompletableFuture.completedFuture(null);
  }

  /**
   * One stream, of any number of agents. Reads the next message only while its answers are read.
   */
  private final class HeartbeatStream implements StreamObserver<HeartbeatRequest> {

    private final ServerCallStreamObserver<HeartbeatResponse> caller;
    private boolean over;
    private boolean waitingForReady;
    private int unanswered;
    private boolean leaving;

    HeartbeatStream(ServerCallStreamObserver<HeartbeatResponse> caller) {
      this.caller = caller;
      caller.disableAutoRequest();
      caller.setOnReadyHandler(this::ready);
      caller.setOnCancelHandler(this::end);
      caller.request(1);
    }

    @Override
    public void onNext(HeartbeatRequest request) {
      try {
        AgentChecks.heartbeat(request);
      } catch (TroupeException refusal) {
        fail(refusal);
        return;
      }
      synchronized (this) {
        unanswered++;
      }
      Beat beat = Beat.of(request);
      store
          .locate(Names.namespace(request.getNamespace()), request.getAgentId())
          .thenCompose(partition -> batcher.beat(partition, beat))
          .whenComplete(
              (outcome, failure) -> {
                if (failure != null) {
                  fail(failure);
                } else {
                  answer(beat, outcome);
                }
              });
      next();
    }

    private void next() {
      synchronized (this) {
        waitingForReady = true;
      }
      ready();
    }

    private void ready() {
      boolean ask;
      synchronized (this) {
        ask = waitingForReady && caller.isReady() && unanswered < MOST_UNANSWERED;
        if (ask) {
          waitingForReady = false;
        }
      }
      if (ask) {
        caller.request(1);
      }
    }

    private void answer(Beat beat, Beat.Outcome outcome) {
      HeartbeatResponse.Builder response =
          HeartbeatResponse.newBuilder()
              .setAgentId(beat.agentId())
              .setFencingToken(beat.token())
              .setOutcomeValue(outcome.code());
      if (outcome.leaseMicros() > 0) {
        response
            .setLeaseExpireTime(Timestamps.fromMicros(outcome.untilMicros()))
            .setHeartbeatInterval(Durations.fromMicros(outcome.leaseMicros() / 3));
      }
      synchronized (this) {
        unanswered--;
        if (!over) {
          caller.onNext(response.build());
        }
      }
      leaveIfAnswered();
      ready();
    }

    private synchronized void fail(Throwable failure) {
      if (!over) {
        end();
        caller.onError(StatusMapper.toStatus(failure));
      }
    }

    /** The last message of a server that stops; the agents go on elsewhere. */
    synchronized void goAway() {
      if (!over) {
        end();
        caller.onNext(
            HeartbeatResponse.newBuilder()
                .setOutcome(HeartbeatOutcome.HEARTBEAT_OUTCOME_GO_AWAY)
                .build());
        caller.onCompleted();
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
      if (leaving && unanswered == 0 && !over) {
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
