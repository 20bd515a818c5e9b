package dev.troupe.bench;

import com.google.protobuf.util.Durations;
import com.google.protobuf.util.Timestamps;
import dev.troupe.v1.Agent;
import dev.troupe.v1.AgentChange;
import dev.troupe.v1.EventDelivery;
import dev.troupe.v1.EventStreamServiceGrpc;
import dev.troupe.v1.LockChange;
import dev.troupe.v1.SubscribeRequest;
import dev.troupe.v1.SubscribeResponse;
import io.grpc.Channel;
import io.grpc.stub.StreamObserver;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Hears from the server's own topics when agents are LOST and when their locks are released, all by
 * the clock of Redis, which the leases go by too.
 */
final class FleetLosses implements StreamObserver<SubscribeResponse> {

  private final CountDownLatch started = new CountDownLatch(1);
  private final CountDownLatch left;

  /** When the leases ended, us. */
  private final Map<String, Long> ends = new HashMap<>();

  private final Map<String, Long> lost = new HashMap<>();
  private final Map<String, Long> released = new HashMap<>();
  private @Nullable Throwable failure;

  /** Hears of that many agents with one lock each. */
  FleetLosses(int agents) {
    left = new CountDownLatch(2 * agents);
  }

  /** Returns once it hears. */
  void listen(Channel channel) throws InterruptedException, TimeoutException {
    EventStreamServiceGrpc.newStub(channel)
        .subscribe(
            SubscribeRequest.newBuilder()
                .addTopics("troupe.agents")
                .addTopics("troupe.locks")
                .addTypes("agent.lost")
                .addTypes("lock.session_ended")
                .build(),
            this);
    if (!started.await(30, TimeUnit.SECONDS)) {
      throw new TimeoutException("no subscription");
    }
  }

  void await(long seconds) throws InterruptedException, TimeoutException {
    if (!left.await(seconds, TimeUnit.SECONDS)) {
      throw new TimeoutException(left.getCount() + " agents or locks too few, failure " + failure);
    }
  }

  @Override
  public void onNext(SubscribeResponse response) {
    if (response.hasStarted()) {
      started.countDown();
    }
    for (EventDelivery delivery : response.getBatch().getDeliveriesList()) {
      if (delivery.getEvent().hasAgent()) {
        lost(delivery.getEvent().getAgent());
      } else if (delivery.getEvent().hasLock()) {
        released(delivery.getEvent().getLock(), Timestamps.toMicros(delivery.getAcceptTime()));
      }
    }
  }

  private synchronized void lost(AgentChange change) {
    Agent agent = change.getAgent();
    ends.put(
        agent.getAgentId(),
        Timestamps.toMicros(agent.getHeartbeatTime())
            + Durations.toMicros(agent.getLeaseDuration()));
    if (lost.put(agent.getAgentId(), Timestamps.toMicros(change.getTime())) == null) {
      left.countDown();
    }
  }

  private synchronized void released(LockChange change, long micros) {
    if (released.put(change.getOwner(), micros) == null) {
      left.countDown();
    }
  }

  /** From the end of each lease to LOST, ns. */
  synchronized Samples lostAfter() {
    return after(lost);
  }

  /** From the end of each lease to the release of the lock, ns. */
  synchronized Samples releasedAfter() {
    return after(released);
  }

  private Samples after(Map<String, Long> times) {
    Samples.Recorder recorder = new Samples.Recorder();
    ends.forEach((agent, end) -> recorder.add((times.getOrDefault(agent, end) - end) * 1000));
    return Samples.of(List.of(recorder));
  }

  /** When the first lease ended, us. */
  synchronized long firstEnd() {
    return ends.values().stream().mapToLong(end -> end).min().orElseThrow();
  }

  /** When the last lease ended, us. */
  synchronized long lastEnd() {
    return ends.values().stream().mapToLong(end -> end).max().orElseThrow();
  }

  @Override
  public synchronized void onError(Throwable broken) {
    failure = broken;
  }

  @Override
  public void onCompleted() {}
}
