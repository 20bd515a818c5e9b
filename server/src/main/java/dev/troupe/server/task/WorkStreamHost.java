package dev.troupe.server.task;

import com.google.common.base.Ticker;
import com.google.inject.Inject;
import com.google.protobuf.Duration;
import com.google.protobuf.util.Durations;
import java.util.concurrent.CompletionStage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What every worker's stream works with. */
final class WorkStreamHost {

  private static final Logger log = LoggerFactory.getLogger(WorkStreamHost.class);

  private final TaskStore store;
  private final SharedScripts shared;
  private final LeasePools pools;
  private final WorkStreams streams;
  private final WorkerOpening opening;
  private final TaskConfig config;
  private final Ticker ticker;
  private volatile boolean stopping;

  @Inject
  WorkStreamHost(
      TaskStore store,
      SharedScripts shared,
      LeasePools pools,
      WorkStreams streams,
      WorkerOpening opening,
      TaskConfig config,
      Ticker ticker) {
    this.store = store;
    this.shared = shared;
    this.pools = pools;
    this.streams = streams;
    this.opening = opening;
    this.config = config;
    this.ticker = ticker;
  }

  TaskStore store() {
    return store;
  }

  SharedScripts shared() {
    return shared;
  }

  LeasePools pools() {
    return pools;
  }

  WorkStreams streams() {
    return streams;
  }

  WorkerOpening opening() {
    return opening;
  }

  TaskConfig config() {
    return config;
  }

  long nanos() {
    return ticker.read();
  }

  boolean stopping() {
    return stopping;
  }

  void stop() {
    stopping = true;
  }

  /**
   * How long a delivery is leased before Redis knows that it arrived: the time to acknowledge it,
   * and then some for the confirmation to be written.
   */
  Duration deliveryWindow() {
    return Durations.fromMillis(config.ackTimeout().toMillis() + 5000);
  }

  /** Gives back what a stream held. A failure is made up for when the leases run out. */
  void giveBack(WorkerIdentity worker, java.time.Duration grace, String reason) {
    worker.epochs().forEach((queue, epoch) -> giveBack(worker, queue, epoch, grace, reason));
  }

  private void giveBack(
      WorkerIdentity worker, QueueId queue, long epoch, java.time.Duration grace, String reason) {
    CompletionStage<TaskStore.Moved> moved =
        store.giveBack(
            queue, worker.worker(), epoch, false, Durations.fromMillis(grace.toMillis()), reason);
    moved.whenComplete(
        (result, failure) -> {
          if (failure != null) {
            log.debug("what {} held stays leased until it runs out", worker.worker(), failure);
          } else if (result.more()) {
            giveBack(worker, queue, epoch, grace, reason);
          }
        });
  }
}
