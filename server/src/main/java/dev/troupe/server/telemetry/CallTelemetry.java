package dev.troupe.server.telemetry;

import com.google.common.base.Ticker;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.metrics.DoubleHistogram;
import io.opentelemetry.api.metrics.Meter;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapPropagator;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;

/**
 * Measures every call: how many by method and status code, how long, how many in flight, how many
 * messages on streams; and one span per call when traces are exported. Changes nothing about the
 * call. Thread-safe.
 */
final class CallTelemetry implements ServerInterceptor {

  /** Seconds: from a tenth of a millisecond, where the hot path is, to a long poll. */
  private static final List<Double> BUCKETS =
      List.of(
          0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0,
          2.5, 5.0, 10.0, 30.0, 60.0);

  private final ConcurrentMap<String, MethodMeter> methods = new ConcurrentHashMap<>();
  private final DoubleHistogram duration;
  private final Tracer tracer;
  private final TextMapPropagator propagator;
  private final boolean traced;
  private final Ticker ticker;

  CallTelemetry(OpenTelemetry telemetry, boolean traced, Ticker ticker) {
    Meter meter = telemetry.getMeter(Telemetry.SCOPE);
    this.duration =
        meter
            .histogramBuilder("troupe.grpc.call.duration")
            .setUnit("s")
            .setDescription("Time from the start of a call to its end, by method and status code.")
            .setExplicitBucketBoundariesAdvice(BUCKETS)
            .build();
    this.tracer = telemetry.getTracer(Telemetry.SCOPE);
    this.propagator = telemetry.getPropagators().getTextMapPropagator();
    this.traced = traced;
    this.ticker = ticker;
    meter
        .upDownCounterBuilder("troupe.grpc.calls.in_flight")
        .setDescription("Calls that have begun and not ended.")
        .buildWithCallback(
            value ->
                methods
                    .values()
                    .forEach(method -> value.record(method.inFlight.sum(), method.attributes)));
    count(meter, "received", "Messages that came in on streams.", method -> method.received);
    count(meter, "sent", "Messages that went out on streams.", method -> method.sent);
  }

  private void count(
      Meter meter, String what, String description, Function<MethodMeter, LongAdder> counter) {
    meter
        .counterBuilder("troupe.grpc.stream.messages." + what)
        .setDescription(description)
        .buildWithCallback(
            value ->
                methods.values().stream()
                    .filter(method -> method.streaming)
                    .forEach(
                        method -> value.record(counter.apply(method).sum(), method.attributes)));
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    String name = call.getMethodDescriptor().getFullMethodName();
    MethodMeter method = methods.get(name);
    if (method == null) {
      method = methods.computeIfAbsent(name, absent -> new MethodMeter(call.getMethodDescriptor()));
    }
    MeasuredCall<Q, R> measured =
        new MeasuredCall<>(call, method, duration, ticker, traced ? span(name, headers) : null);
    try {
      return measured.listen(next.startCall(measured, headers));
    } catch (RuntimeException | Error failure) {
      measured.end(Status.UNKNOWN);
      throw failure;
    }
  }

  private Span span(String name, Metadata headers) {
    Context parent = propagator.extract(Context.root(), headers, MetadataGetter.INSTANCE);
    return tracer
        .spanBuilder(name)
        .setSpanKind(SpanKind.SERVER)
        .setParent(parent)
        .setAttribute("rpc.system", "grpc")
        .startSpan();
  }
}
