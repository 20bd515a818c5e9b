package dev.troupe.client;

import com.google.protobuf.ByteString;
import dev.troupe.v1.Attempt;
import dev.troupe.v1.AttemptComplete;
import dev.troupe.v1.AttemptFail;
import dev.troupe.v1.AttemptRelease;
import dev.troupe.v1.Failure;
import dev.troupe.v1.StopReason;
import dev.troupe.v1.WorkRequest;
import java.time.Duration;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/** How a handler's end is told to the server. */
final class Reports {

  private Reports() {}

  static WorkRequest of(
      Attempt attempt,
      @Nullable ByteString result,
      @Nullable Throwable thrown,
      @Nullable StopReason stopped) {
    if (thrown == null) {
      return WorkRequest.newBuilder()
          .setComplete(
              AttemptComplete.newBuilder()
                  .setAttempt(attempt)
                  .setResult(result == null ? ByteString.EMPTY : result))
          .build();
    }
    Throwable cause =
        thrown instanceof CompletionException && thrown.getCause() != null
            ? thrown.getCause()
            : thrown;
    if (cause instanceof TaskRelease release) {
      return release(attempt, release.delay(), String.valueOf(release.getMessage()));
    }
    if (stopped == StopReason.STOP_REASON_CANCELLED) {
      return release(attempt, Duration.ZERO, "cancelled");
    }
    if (cause instanceof TaskFailure failure) {
      return fail(attempt, failure.failure());
    }
    return fail(
        attempt,
        Failure.newBuilder()
            .setKind(Text.upTo(Text.NAME_BYTES, cause.getClass().getName()))
            .setMessage(Text.upTo(Text.MESSAGE_BYTES, String.valueOf(cause.getMessage())))
            .build());
  }

  static WorkRequest fail(Attempt attempt, Failure failure) {
    return WorkRequest.newBuilder()
        .setFail(AttemptFail.newBuilder().setAttempt(attempt).setFailure(failure))
        .build();
  }

  static WorkRequest release(Attempt attempt, Duration delay, String reason) {
    return WorkRequest.newBuilder()
        .setRelease(
            AttemptRelease.newBuilder()
                .setAttempt(attempt)
                .setDelay(Durations.of(delay))
                .setReason(Text.upTo(Text.NAME_BYTES, reason)))
        .build();
  }
}
