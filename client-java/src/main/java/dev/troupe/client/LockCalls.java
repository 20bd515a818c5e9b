package dev.troupe.client;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.troupe.v1.AcquireRequest;
import dev.troupe.v1.AcquireResponse;
import dev.troupe.v1.LockServiceGrpc;
import dev.troupe.v1.LockStreamAnswer;
import dev.troupe.v1.LockStreamCall;
import dev.troupe.v1.ReleaseLockRequest;
import dev.troupe.v1.ReleaseLockResponse;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Acquires and gives back over one stream of the client, which costs a fraction of a call each.
 *
 * <p>Whatever the stream does not answer is asked by a call of its own, under the same request id:
 * when the stream broke, that finds out what became of it; when the server refused it, that says so
 * in all detail; and a server that knows no such stream is never asked for one again. Thread-safe.
 */
final class LockCalls {

  /** Between a stream that broke and the next one. */
  private static final long PAUSE_NANOS = 1_000_000_000;

  /** A stream on which nothing happened for so long is closed. */
  private static final long IDLE_NANOS = 5_000_000_000L;

  private final ClientRuntime runtime;

  @GuardedBy("this")
  private @Nullable LockStream stream;

  @GuardedBy("this")
  private long nextStreamNanos = System.nanoTime();

  @GuardedBy("this")
  private boolean unknown;

  LockCalls(ClientRuntime runtime) {
    this.runtime = runtime;
  }

  /** Acquires; cancelling the future gives up. The request has to have an id. */
  CompletableFuture<AcquireResponse> acquire(AcquireRequest given, Duration timeout) {
    AcquireRequest request =
        given.getNamespace().isEmpty()
            ? given.toBuilder().setNamespace(runtime.namespace()).build()
            : given;
    return call(
        LockServiceGrpc.getAcquireMethod(),
        request,
        LockStreamCall.newBuilder().setAcquire(request),
        answer -> answer.hasAcquire() ? Optional.of(answer.getAcquire()) : Optional.empty(),
        timeout);
  }

  /** Gives a lease back. */
  CompletableFuture<ReleaseLockResponse> release(ReleaseLockRequest given, Duration timeout) {
    ReleaseLockRequest.Builder filled =
        given.toBuilder().setRequestId(UUID.randomUUID().toString());
    if (given.getNamespace().isEmpty()) {
      filled.setNamespace(runtime.namespace());
    }
    ReleaseLockRequest request = filled.build();
    return call(
        LockServiceGrpc.getReleaseLockMethod(),
        request,
        LockStreamCall.newBuilder().setRelease(request),
        answer -> answer.hasRelease() ? Optional.of(answer.getRelease()) : Optional.empty(),
        timeout);
  }

  private <Q, R> CompletableFuture<R> call(
      MethodDescriptor<Q, R> method,
      Q request,
      LockStreamCall.Builder call,
      Function<LockStreamAnswer, Optional<R>> read,
      Duration timeout) {
    LockStream open = stream();
    if (open == null) {
      return runtime.call(method, request, timeout);
    }
    long endNanos = System.nanoTime() + timeout.toNanos();
    CompletableFuture<R> result = new CompletableFuture<>();
    ScheduledFuture<?> timer;
    try {
      timer =
          runtime
              .timer()
              .schedule(
                  () ->
                      result.completeExceptionally(
                          TroupeClientException.of(Status.DEADLINE_EXCEEDED.asRuntimeException())),
                  timeout.toNanos(),
                  TimeUnit.NANOSECONDS);
    } catch (RejectedExecutionException clientClosed) {
      return runtime.call(method, request, timeout);
    }
    LockStream.Open one = open.call(call);
    result.whenComplete(
        (response, failure) -> {
          timer.cancel(false);
          if (failure != null) {
            open.giveUp(one);
          }
        });
    // Not on the stream's thread: whoever blocks there keeps the others from their answers.
    one.answer()
        .whenCompleteAsync(
            (answer, failure) -> {
              Optional<R> response = answer == null ? Optional.empty() : read.apply(answer);
              if (response.isPresent()) {
                result.complete(response.get());
              } else if (!result.isDone()) {
                Duration left = Duration.ofNanos(Math.max(1, endNanos - System.nanoTime()));
                copy(runtime.call(method, request, left), result);
              }
            });
    return result;
  }

  private static <R> void copy(CompletableFuture<R> from, CompletableFuture<R> to) {
    from.whenComplete(
        (response, failure) -> {
          if (failure != null) {
            to.completeExceptionally(failure);
          } else {
            to.complete(response);
          }
        });
    to.whenComplete(
        (response, failure) -> {
          if (to.isCancelled()) {
            from.cancel(true);
          }
        });
  }

  /** The stream, opened if need be; null when calls have to do without one. */
  private @Nullable LockStream stream() {
    LockStream opened;
    synchronized (this) {
      if (stream != null || unknown || System.nanoTime() - nextStreamNanos < 0) {
        return stream;
      }
      opened = new LockStream(this::ended);
      stream = opened;
    }
    opened.begin(runtime.channel());
    closeWhenIdle(opened);
    return opened;
  }

  private void closeWhenIdle(LockStream open) {
    try {
      runtime
          .timer()
          .schedule(
              () -> {
                if (!open.closeIfIdle()) {
                  closeWhenIdle(open);
                }
              },
              IDLE_NANOS,
              TimeUnit.NANOSECONDS);
    } catch (RejectedExecutionException clientClosed) {
      // It ends with the channel.
      return;
    }
  }

  private synchronized void ended(LockStream which, Status status) {
    if (stream == which) {
      stream = null;
    }
    unknown |= status.getCode() == Status.Code.UNIMPLEMENTED;
    if (!status.isOk()) {
      nextStreamNanos = System.nanoTime() + PAUSE_NANOS;
    }
  }
}
