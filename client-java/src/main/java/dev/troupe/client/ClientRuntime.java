package dev.troupe.client;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.MethodDescriptor;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** What all parts of one client share, and how each of them makes a call. */
record ClientRuntime(
    Channel channel,
    String namespace,
    Duration callTimeout,
    ScheduledExecutorService timer,
    Pauses pauses) {

  /** Calls within the client's timeout; cancelling the future cancels the call. */
  <Q, R> CompletableFuture<R> call(MethodDescriptor<Q, R> method, Q request) {
    return call(method, request, callTimeout);
  }

  /**
   * Calls within a timeout. A server that is not there yet is waited for: during a restart a fleet
   * should pause, not fail.
   */
  <Q, R> CompletableFuture<R> call(MethodDescriptor<Q, R> method, Q request, Duration timeout) {
    ClientCall<Q, R> call =
        channel.newCall(
            method,
            CallOptions.DEFAULT
                .withWaitForReady()
                .withDeadlineAfter(timeout.toNanos(), TimeUnit.NANOSECONDS));
    Answer<R> answer = new Answer<>();
    ClientCalls.asyncUnaryCall(call, request, answer);
    answer.future.whenComplete(
        (response, failure) -> {
          if (answer.future.isCancelled()) {
            call.cancel("the caller cancelled", null);
          }
        });
    return answer.future;
  }

  private static final class Answer<R> implements StreamObserver<R> {
    private final CompletableFuture<R> future = new CompletableFuture<>();
    private @Nullable R response;

    @Override
    public void onNext(R value) {
      response = value;
    }

    @Override
    public void onError(Throwable failure) {
      future.completeExceptionally(TroupeClientException.of(failure));
    }

    @Override
    public void onCompleted() {
      future.complete(response);
    }
  }
}
