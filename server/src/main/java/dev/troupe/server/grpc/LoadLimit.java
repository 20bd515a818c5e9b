package dev.troupe.server.grpc;

import dev.troupe.server.error.TroupeException;
import dev.troupe.v1.ErrorReason;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Refuses new unary calls while too many are under way: an answer that says "later" is worth more
 * than one that comes too late. Neither streams nor calls that {@link #waits wait} for something to
 * happen count: they cost nothing while they do.
 */
public final class LoadLimit implements ServerInterceptor {

  private static final Context.Key<Counted<?, ?>> CALL = Context.key("call under way");

  private final int most;
  private final AtomicInteger inFlight = new AtomicInteger();

  LoadLimit(int most) {
    this.most = most;
  }

  /** Says that the call being handled only waits from here on, so that others may come in. */
  public static void waits() {
    Counted<?, ?> call = CALL.get();
    if (call != null) {
      call.over();
    }
  }

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    if (!call.getMethodDescriptor().getType().clientSendsOneMessage()
        || !call.getMethodDescriptor().getType().serverSendsOneMessage()) {
      return next.startCall(call, headers);
    }
    if (inFlight.incrementAndGet() > most) {
      inFlight.decrementAndGet();
      StatusRuntimeException refusal =
          StatusMapper.toStatus(
              TroupeException.retryable(
                  ErrorReason.ERROR_REASON_OVERLOADED,
                  "too many calls under way",
                  Duration.ofMillis(200),
                  null));
      Metadata trailers = Status.trailersFromThrowable(refusal);
      call.close(refusal.getStatus(), trailers == null ? new Metadata() : trailers);
      return new ServerCall.Listener<>() {};
    }
    Counted<Q, A> counted = new Counted<>(call, inFlight);
    ServerCall.Listener<Q> listener =
        Contexts.interceptCall(Context.current().withValue(CALL, counted), counted, headers, next);
    return new io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener<>(listener) {
      @Override
      public void onCancel() {
        counted.over();
        super.onCancel();
      }
    };
  }

  /** A call that is counted until it closes or is cancelled, whichever comes first. */
  private static final class Counted<Q, A> extends SimpleForwardingServerCall<Q, A> {
    private final AtomicInteger inFlight;
    private final java.util.concurrent.atomic.AtomicBoolean over =
        new java.util.concurrent.atomic.AtomicBoolean();

    Counted(ServerCall<Q, A> call, AtomicInteger inFlight) {
      super(call);
      this.inFlight = inFlight;
    }

    void over() {
      if (over.compareAndSet(false, true)) {
        inFlight.decrementAndGet();
      }
    }

    @Override
    public void close(Status status, Metadata trailers) {
      over();
      super.close(status, trailers);
    }
  }
}
