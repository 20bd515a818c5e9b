package dev.troupe.server.memory;

import dev.troupe.server.error.TroupeException;
import dev.troupe.v1.ErrorReason;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/** Reads and writes again what others changed in between. */
final class Tries {

  /** Of those who meet one wins each time, so this many may meet. */
  private static final int MOST = 200;

  private Tries() {}

  /**
   * Does a step until its version stands.
   *
   * @param again whether the caller leaves it to us which version is changed
   */
  static <T> CompletionStage<T> until(boolean again, Supplier<CompletionStage<T>> step) {
    return until(again ? MOST : 1, step);
  }

  private static <T> CompletionStage<T> until(int left, Supplier<CompletionStage<T>> step) {
    return step.get()
        .exceptionallyCompose(
            failure ->
                left > 1 && is(ErrorReason.ERROR_REASON_VERSION_MISMATCH, failure)
                    ? until(left - 1, step)
                    : CompletableFuture.failedFuture(failure));
  }

  static boolean is(ErrorReason reason, Throwable failure) {
    Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
    return cause instanceof TroupeException refusal && refusal.reason() == reason;
  }
}
