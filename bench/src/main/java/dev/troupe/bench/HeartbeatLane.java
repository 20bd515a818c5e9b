package dev.troupe.bench;

import dev.troupe.v1.AgentStateServiceGrpc;
import dev.troupe.v1.HeartbeatOutcome;
import dev.troupe.v1.HeartbeatRequest;
import dev.troupe.v1.HeartbeatResponse;
import io.grpc.ManagedChannel;
import io.grpc.stub.StreamObserver;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * A stream of heartbeats that several agents share, which measures how long their answers take,
 * counted from when a heartbeat was due.
 */
final class HeartbeatLane implements StreamObserver<HeartbeatResponse> {

  private final Map<String, Queue<Long>> unanswered = new HashMap<>();
  private Samples.Recorder times = new Samples.Recorder();
  private @Nullable StreamObserver<HeartbeatRequest> up;
  private @Nullable String fault;

  private HeartbeatLane() {}

  static HeartbeatLane open(ManagedChannel channel) {
    HeartbeatLane lane = new HeartbeatLane();
    StreamObserver<HeartbeatRequest> up = AgentStateServiceGrpc.newStub(channel).heartbeat(lane);
    synchronized (lane) {
      lane.up = up;
    }
    return lane;
  }

  synchronized void beat(SimulatedAgent agent, long dueNanos) {
    if (up != null && fault == null) {
      unanswered.computeIfAbsent(agent.id, id -> new ArrayDeque<>()).add(dueNanos);
      up.onNext(agent.nextBeat());
    }
  }

  /** How long answers took since this was last called. */
  synchronized Samples.Recorder take() {
    if (fault != null) {
      throw new IllegalStateException(fault);
    }
    Samples.Recorder taken = times;
    times = new Samples.Recorder();
    return taken;
  }

  @Override
  public synchronized void onNext(HeartbeatResponse response) {
    Queue<Long> due = unanswered.get(response.getAgentId());
    if (response.getOutcome() != HeartbeatOutcome.HEARTBEAT_OUTCOME_EXTENDED) {
      fault = "not answered as it should be: " + response;
    } else if (due != null && !due.isEmpty()) {
      // Those of an agent are answered in their order.
      times.add(System.nanoTime() - due.remove());
    }
  }

  @Override
  public synchronized void onError(Throwable failure) {
    fault = "the stream of heartbeats broke: " + failure;
  }

  @Override
  public synchronized void onCompleted() {
    fault = "the stream of heartbeats ended";
  }
}
