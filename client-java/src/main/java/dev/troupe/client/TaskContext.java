package dev.troupe.client;

import com.google.protobuf.ByteString;
import dev.troupe.v1.LeasedTask;
import dev.troupe.v1.StopReason;
import java.util.concurrent.CompletableFuture;

/** One attempt of one task, as its handler sees it. Thread-safe. */
public interface TaskContext {

  /** All that was sent with it. */
  LeasedTask leased();

  /** What the producer wants the worker to know. */
  default ByteString payload() {
    return leased().getSpec().getPayload();
  }

  /** The last checkpoint of an earlier attempt; empty when there is none. */
  default ByteString lastCheckpoint() {
    return leased().getCheckpoint();
  }

  /** How often the task was leased, this time included. */
  default int attemptNumber() {
    return leased().getAttemptNumber();
  }

  /** Rises with every attempt of the task, so it can guard what the handler writes elsewhere. */
  default long fencingToken() {
    return leased().getAttempt().getFencingToken();
  }

  /**
   * Tells how far it is, 0.0 to 1.0, with a word for people of up to 1 KiB. Returns at once; of
   * several reports in quick succession only the last may be sent.
   */
  void progress(double fraction, String message);

  /**
   * Keeps up to 64 KiB for the next attempt, should this one not end well. Sent like {@link
   * #progress}, and lost when the process ends before it was.
   */
  void checkpoint(ByteString state);

  /**
   * Done when there is no use in going on. CANCELLED: whatever is thrown ends the task, a result
   * still counts. LEASE_LOST: the task is another worker's, nothing will be reported.
   */
  CompletableFuture<StopReason> stopped();
}
