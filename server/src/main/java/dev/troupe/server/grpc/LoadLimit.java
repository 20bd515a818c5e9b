package dev.troupe.server.grpc;

import com.google.common.base.Ticker;
import dev.troupe.server.error.TroupeException;
import dev.troupe.v1.ErrorReason;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Refuses new unary calls while too many are under way: an answer that says "later" is worth more
 * than one that comes too late. How many are too many is up to {@link Admission}.
 *
 * <p>Neither streams nor calls that {@link #waits wait} for something to happen count: they cost
 * nothing while they do. gRPC's own services, such as the health check, are never refused.
 */
public final class LoadLimit implements ServerInterceptor {

  private static final Context.Key<Counted<?, ?>> CALL = Context.key("call under way");
  private static final String OWN_SERVICES = "grpc.";

  private final Admission admission;
  private final Ticker ticker;
  private final RefusedCalls refused;
  private final Status refusal;
  private final Metadata refusalDetails;

  LoadLimit(Admission admission, Ticker ticker, RefusedCalls refused) {
    this.admission = admission;
    this.refused = refused;
    this.ticker = ticker;
    // Built once: when there is too much to do, saying so must not be work.
    StatusRuntimeException overloaded =
        StatusMapper.toStatus(
            TroupeException.retryable(
                ErrorReason.ERROR_REASON_OVERLOADED,
                "too many calls under way",
                Duration.ofMillis(200),
                null));
    Metadata details = Status.trailersFromThrowable(overloaded);
    this.refusal = overloaded.getStatus();
    this.refusalDetails = details == null ? new Metadata() : details;
  }

  /** Says that the call being handled only waits from here on, so that others may come in. */
  public static void waits() {
    Counted<?, ?> call = CALL.get();
    if (call != null) {
      call.waits();
    }
  }

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    MethodDescriptor<Q, A> method = call.getMethodDescriptor();
    if (method.getType() != MethodDescriptor.MethodType.UNARY
        || method.getFullMethodName().startsWith(OWN_SERVICES)) {
      return next.startCall(call, headers);
    }
    if (!admission.tryEnter()) {
      refused.refused();
      // gRPC writes into what it is given.
      Metadata details = new Metadata();
      details.merge(refusalDetails);
      call.close(refusal, details);
      return new ServerCall.Listener<>() {};
    }
    Counted<Q, A> counted = new Counted<>(call, admission, ticker);
    ServerCall.Listener<Q> listener =
        Contexts.interceptCall(Context.current().withValue(CALL, counted), counted, headers, next);
    return new SimpleForwardingServerCallListener<>(listener) {
      @Override
      public void onCancel() {
        counted.over();
        super.onCancel();
      }

      // Where gRPC closes a call itself, as when its answer cannot be written, nothing else tells.
      @Override
      public void onComplete() {
        counted.over();
        super.onComplete();
      }
    };
  }

  /** A call that is counted until it closes, is cancelled or begins to wait. */
  private static final class Counted<Q, A> extends SimpleForwardingServerCall<Q, A> {
    private final Admission admission;
    private final Ticker ticker;
    private final long begunNanos;
    private final AtomicBoolean over = new AtomicBoolean();

    Counted(ServerCall<Q, A> call, Admission admission, Ticker ticker) {
      super(call);
      this.admission = admission;
      this.ticker = ticker;
      this.begunNanos = ticker.read();
    }

    void over() {
      if (over.compareAndSet(false, true)) {
        long now = ticker.read();
        admission.leave(now - begunNanos, now);
      }
    }

    void waits() {
      if (over.compareAndSet(false, true)) {
        admission.leave();
      }
    }

    @Override
    public void close(Status status, Metadata trailers) {
      over();
      super.close(status, trailers);
    }
  }
}
