package dev.troupe.client;

import com.google.protobuf.ByteString;
import dev.troupe.v1.Attempt;
import dev.troupe.v1.AttemptProgress;
import dev.troupe.v1.LeasedTask;
import dev.troupe.v1.Progress;
import dev.troupe.v1.StopReason;
import dev.troupe.v1.WorkRequest;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * An attempt in hand, until the server has taken the report of its end. Its fields are guarded by
 * the worker's lock.
 */
final class RunningTask implements TaskContext {

  private final Worker worker;
  private final LeasedTask leased;
  private final CompletableFuture<StopReason> stopped = new CompletableFuture<>();

  /** How it ended; kept until the server's answer, to be sent again on another stream. */
  private @Nullable WorkRequest report;

  /** The newest progress and checkpoint that the server has not taken yet. */
  private AttemptProgress.@Nullable Builder untold;

  /** A progress report is on its way; the next one waits for its outcome. */
  private boolean telling;

  RunningTask(Worker worker, LeasedTask leased) {
    this.worker = worker;
    this.leased = leased;
  }

  @Override
  public LeasedTask leased() {
    return leased;
  }

  Attempt attempt() {
    return leased.getAttempt();
  }

  @Override
  public CompletableFuture<StopReason> stopped() {
    return stopped;
  }

  /** To be called without the worker's lock: it may interrupt the handler. */
  void stop(StopReason reason) {
    stopped.complete(reason);
  }

  @Override
  public void progress(double fraction, String message) {
    Progress progress =
        Progress.newBuilder()
            .setFraction(fraction)
            .setMessage(Text.upTo(Text.PROGRESS_BYTES, message))
            .build();
    worker.tell(this, report -> report.setProgress(progress));
  }

  @Override
  public void checkpoint(ByteString state) {
    worker.tell(this, report -> report.setCheckpoint(state));
  }

  boolean hasEnded() {
    return report != null;
  }

  @Nullable WorkRequest report() {
    return report;
  }

  void ended(WorkRequest how) {
    report = how;
  }

  AttemptProgress.Builder untold() {
    if (untold == null) {
      untold = AttemptProgress.newBuilder().setAttempt(attempt());
    }
    return untold;
  }

  /** What is to be told now, if anything; it then counts as on its way. */
  @Nullable WorkRequest takeUntold() {
    if (untold == null || telling || hasEnded()) {
      return null;
    }
    WorkRequest request = WorkRequest.newBuilder().setProgress(untold).build();
    untold = null;
    telling = true;
    return request;
  }

  /** The outcome of a progress report is there, or will never come. */
  void told() {
    telling = false;
  }
}
