package dev.troupe.server.telemetry;

import com.google.common.base.Ticker;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.opentelemetry.api.metrics.DoubleHistogram;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.StatusCode;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * A call that is counted when it ends: closed by the service, or cancelled by the caller, whichever
 * comes first. Readiness and flow control pass through untouched.
 */
final class MeasuredCall<Q, R> extends SimpleForwardingServerCall<Q, R> {

  private static final double NANOS_PER_SECOND = 1e9;

  private final MethodMeter method;
  private final DoubleHistogram duration;
  private final Ticker ticker;
  private final @Nullable Span span;
  private final long begun;
  private final AtomicBoolean ended = new AtomicBoolean();

  MeasuredCall(
      ServerCall<Q, R> call,
      MethodMeter method,
      DoubleHistogram duration,
      Ticker ticker,
      @Nullable Span span) {
    super(call);
    this.method = method;
    this.duration = duration;
    this.ticker = ticker;
    this.span = span;
    this.begun = ticker.read();
    method.inFlight.increment();
  }

  @Override
  public void sendMessage(R message) {
    if (method.streaming) {
      method.sent.increment();
    }
    super.sendMessage(message);
  }

  @Override
  public void close(Status status, Metadata trailers) {
    // Counted first: whoever has the answer may look at the counters at once.
    end(status);
    super.close(status, trailers);
  }

  ServerCall.Listener<Q> listen(ServerCall.Listener<Q> listener) {
    return new SimpleForwardingServerCallListener<>(listener) {
      @Override
      public void onMessage(Q message) {
        if (method.streaming) {
          method.received.increment();
        }
        super.onMessage(message);
      }

      @Override
      public void onCancel() {
        end(Status.CANCELLED);
        super.onCancel();
      }

      @Override
      public void onComplete() {
        end(Status.OK);
        super.onComplete();
      }
    };
  }

  void end(Status status) {
    if (!ended.compareAndSet(false, true)) {
      return;
    }
    method.inFlight.decrement();
    duration.record(
        (ticker.read() - begun) / NANOS_PER_SECOND, method.attributes(status.getCode()));
    if (span != null) {
      span.setAttribute("rpc.grpc.status_code", status.getCode().value());
      if (!status.isOk()) {
        span.setStatus(StatusCode.ERROR, status.getCode().name());
      }
      span.end();
    }
  }
}
