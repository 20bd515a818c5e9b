package dev.troupe.client;

import io.grpc.CallOptions;
import io.grpc.MethodDescriptor;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ClientResponseObserver;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A server stream that is opened again whenever it breaks, after the last response taken in. One
 * response is asked for at a time, after the one before was handled, so that nothing piles up here.
 *
 * <p>The lock guards the fields; responses are handled outside of it, by one stream at a time: a
 * stream that was given up hands on nothing more.
 */
final class ResumingStream<Q, R> implements Subscription {

  private static final Logger log = LoggerFactory.getLogger(ResumingStream.class);

  private final ClientRuntime runtime;
  private final MethodDescriptor<Q, R> method;
  private final Function<String, Q> request;
  private final BiFunction<ResumingStream<Q, R>, R, String> handler;
  private final boolean ends;
  private final Backoff backoff = new Backoff();
  private final CompletableFuture<Void> done = new CompletableFuture<>();

  private String token;
  private @Nullable Attempt current;
  private Duration pause = Duration.ZERO;

  /**
   * @param request makes the request that resumes after a token
   * @param handler takes a response in and returns the token after it; an empty one keeps the last
   */
  ResumingStream(
      ClientRuntime runtime,
      MethodDescriptor<Q, R> method,
      Function<String, Q> request,
      String token,
      BiFunction<ResumingStream<Q, R>, R, String> handler) {
    this(runtime, method, request, token, handler, false);
  }

  /**
   * The same for a stream that may come to its end.
   *
   * @param ends whether the server ends it with OK when all is said
   */
  ResumingStream(
      ClientRuntime runtime,
      MethodDescriptor<Q, R> method,
      Function<String, Q> request,
      String token,
      BiFunction<ResumingStream<Q, R>, R, String> handler,
      boolean ends) {
    this.runtime = runtime;
    this.method = method;
    this.request = request;
    this.token = token;
    this.handler = handler;
    this.ends = ends;
  }

  Subscription open() {
    connect();
    return this;
  }

  private void connect() {
    Attempt attempt = new Attempt();
    String after;
    synchronized (this) {
      if (done.isDone()) {
        return;
      }
      current = attempt;
      after = token;
    }
    ClientCalls.asyncServerStreamingCall(
        runtime.channel().newCall(method, CallOptions.DEFAULT.withWaitForReady()),
        request.apply(after),
        attempt);
  }

  /** The server asked for a pause before the next stream. */
  synchronized void pauseFor(Duration wanted) {
    pause = wanted;
  }

  private synchronized boolean isCurrent(Attempt attempt) {
    return current == attempt && !done.isDone();
  }

  private synchronized void tookIn(String after) {
    backoff.reset();
    if (!after.isEmpty()) {
      token = after;
    }
  }

  private void ended(Attempt attempt, TroupeClientException failure) {
    Duration wait;
    synchronized (this) {
      if (current != attempt || done.isDone()) {
        return;
      }
      current = null;
      wait = backoff.next().plus(pause);
      pause = Duration.ZERO;
    }
    if (!failure.endsOnlyTheStream()) {
      done.completeExceptionally(failure);
      return;
    }
    log.debug("{} ended, next try in {}", method.getFullMethodName(), wait, failure);
    runtime.pauses().then(wait, this::connect, () -> done.completeExceptionally(failure));
  }

  @Override
  public synchronized String resumeToken() {
    return token;
  }

  @Override
  public CompletableFuture<Void> done() {
    return done;
  }

  @Override
  public void close() {
    finish(null);
  }

  private void finish(@Nullable Throwable failure) {
    Attempt open;
    synchronized (this) {
      open = current;
      current = null;
    }
    if (failure == null) {
      done.complete(null);
    } else {
      done.completeExceptionally(failure);
    }
    if (open != null) {
      open.cancel();
    }
  }

  private final class Attempt implements ClientResponseObserver<Q, R> {

    private @Nullable ClientCallStreamObserver<Q> call;

    @Override
    public void beforeStart(ClientCallStreamObserver<Q> stream) {
      call = stream;
      stream.disableAutoRequestWithInitial(1);
    }

    @Override
    public void onNext(R response) {
      if (!isCurrent(this)) {
        return;
      }
      try {
        tookIn(handler.apply(ResumingStream.this, response));
      } catch (RuntimeException | Error broken) {
        finish(broken);
        return;
      }
      if (call != null) {
        call.request(1);
      }
    }

    @Override
    public void onError(Throwable failure) {
      ended(this, TroupeClientException.of(failure));
    }

    @Override
    public void onCompleted() {
      if (ends && isCurrent(this)) {
        finish(null);
        return;
      }
      onError(
          io.grpc.Status.UNAVAILABLE
              .withDescription("the server ended the stream")
              .asRuntimeException());
    }

    void cancel() {
      if (call != null) {
        call.cancel("closed by the client", null);
      }
    }
  }
}
