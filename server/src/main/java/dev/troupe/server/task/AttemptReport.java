package dev.troupe.server.task;

import dev.troupe.v1.Attempt;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.Fence;
import dev.troupe.v1.ReportKind;
import dev.troupe.v1.WorkRequest;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * What a worker says of an attempt on its stream.
 *
 * @param check of what it says, which refuses by throwing
 * @param change what becomes of it in the attempt's queue
 */
record AttemptReport(
    Attempt attempt,
    ReportKind kind,
    Runnable check,
    Function<QueueId, CompletionStage<?>> change) {

  /**
   * Reads one.
   *
   * @param whenCancelled hears of an attempt of which the store says that its task is cancelled
   */
  static AttemptReport of(
      WorkRequest request, WorkStreamHost host, Consumer<Attempt> whenCancelled) {
    return switch (request.getMessageCase()) {
      case PROGRESS -> progress(request, host.store(), whenCancelled);
      case COMPLETE -> complete(request, host);
      case FAIL -> fail(request, host.store());
      case RELEASE -> release(request, host.store());
      default -> throw new IllegalArgumentException("no report: " + request.getMessageCase());
    };
  }

  private static AttemptReport progress(
      WorkRequest request, TaskStore store, Consumer<Attempt> whenCancelled) {
    var report = request.getProgress();
    return new AttemptReport(
        report.getAttempt(),
        ReportKind.REPORT_KIND_PROGRESS,
        () -> TaskChecks.check(report),
        queue ->
            store
                .progress(
                    queue,
                    report.getAttempt(),
                    report.getProgress(),
                    report.getCheckpoint().toByteArray())
                .thenAccept(
                    cancelRequested -> {
                      if (cancelRequested) {
                        whenCancelled.accept(report.getAttempt());
                      }
                    }));
  }

  private static AttemptReport complete(WorkRequest request, WorkStreamHost host) {
    var report = request.getComplete();
    return new AttemptReport(
        report.getAttempt(),
        ReportKind.REPORT_KIND_COMPLETE,
        () -> TaskChecks.check(report, host.config().maxPayload().bytes()),
        queue ->
            host.shared()
                .complete(
                    queue,
                    new Completion(
                        report.getAttempt(),
                        report.getResult().toByteArray(),
                        Fence.getDefaultInstance(),
                        report.getEventsList())));
  }

  private static AttemptReport fail(WorkRequest request, TaskStore store) {
    var report = request.getFail();
    return new AttemptReport(
        report.getAttempt(),
        ReportKind.REPORT_KIND_FAIL,
        () -> TaskChecks.check(report),
        queue ->
            store.fail(
                queue, report.getAttempt(), report.getFailure(), Fence.getDefaultInstance()));
  }

  private static AttemptReport release(WorkRequest request, TaskStore store) {
    var report = request.getRelease();
    return new AttemptReport(
        report.getAttempt(),
        ReportKind.REPORT_KIND_RELEASE,
        () -> TaskChecks.check(report),
        queue -> store.release(queue, report.getAttempt(), report.getDelay(), report.getReason()));
  }

  /** Whether it is meant to end the attempt. */
  boolean isEnding() {
    return kind != ReportKind.REPORT_KIND_PROGRESS;
  }

  /** Whether the attempt has ended now, by this report or before. */
  boolean hasEnded(boolean taken, ErrorReason refusal) {
    if (taken) {
      return isEnding();
    }
    return switch (refusal) {
      case ERROR_REASON_STALE_LEASE, ERROR_REASON_TASK_NOT_FOUND, ERROR_REASON_RESULT_CONFLICT ->
          true;
      default -> false;
    };
  }
}
