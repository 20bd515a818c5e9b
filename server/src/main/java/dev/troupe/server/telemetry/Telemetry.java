package dev.troupe.server.telemetry;

import com.google.common.base.Ticker;
import dev.troupe.server.lifecycle.PeriodicTasks;
import dev.troupe.server.lifecycle.Service;
import io.grpc.ServerInterceptor;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.propagation.ContextPropagators;
import io.opentelemetry.exporter.otlp.metrics.OtlpGrpcMetricExporter;
import io.opentelemetry.exporter.otlp.trace.OtlpGrpcSpanExporter;
import io.opentelemetry.exporter.prometheus.PrometheusHttpServer;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.metrics.SdkMeterProvider;
import io.opentelemetry.sdk.metrics.SdkMeterProviderBuilder;
import io.opentelemetry.sdk.metrics.export.PeriodicMetricReader;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import io.opentelemetry.sdk.trace.samplers.Sampler;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Metrics and traces of this server. When nothing is to be scraped or exported, there is no SDK and
 * no interceptor, and calls pay nothing.
 */
public final class Telemetry implements Service {

  static final String SCOPE = "dev.troupe.server";

  private static final Duration EXPORT_INTERVAL = Duration.ofSeconds(15);

  private final @Nullable OpenTelemetrySdk sdk;
  private final List<ServerInterceptor> interceptors;

  /** Opens the port for Prometheus and begins to export, as far as the settings ask for it. */
  public Telemetry(TelemetryConfig config, PeriodicTasks periodicTasks, Ticker ticker) {
    if (!config.scraped() && !config.exported()) {
      this.sdk = null;
      this.interceptors = List.of();
      return;
    }
    OpenTelemetrySdk built = build(config);
    this.sdk = built;
    this.interceptors = List.of(new CallTelemetry(built, config.exported(), ticker));
    ProcessMetrics.register(built.getMeter(SCOPE));
    PeriodicTaskMetrics.register(built.getMeter(SCOPE), periodicTasks);
  }

  private static OpenTelemetrySdk build(TelemetryConfig config) {
    Resource resource =
        Resource.getDefault()
            .merge(
                Resource.create(
                    Attributes.of(AttributeKey.stringKey("service.name"), config.serviceName())));
    SdkMeterProviderBuilder meters = SdkMeterProvider.builder().setResource(resource);
    if (config.scraped()) {
      meters.registerMetricReader(
          PrometheusHttpServer.builder()
              .setHost(config.prometheusHost())
              .setPort(config.prometheusPort())
              .build());
    }
    SdkTracerProvider tracers = null;
    if (config.exported()) {
      meters.registerMetricReader(
          PeriodicMetricReader.builder(
                  OtlpGrpcMetricExporter.builder().setEndpoint(config.otlpEndpoint()).build())
              .setInterval(EXPORT_INTERVAL)
              .build());
      tracers =
          SdkTracerProvider.builder()
              .setResource(resource)
              .setSampler(Sampler.parentBased(Sampler.traceIdRatioBased(config.traceSampleRatio())))
              .addSpanProcessor(
                  BatchSpanProcessor.builder(
                          OtlpGrpcSpanExporter.builder().setEndpoint(config.otlpEndpoint()).build())
                      .build())
              .build();
    }
    var builder =
        OpenTelemetrySdk.builder()
            .setMeterProvider(meters.build())
            .setPropagators(ContextPropagators.create(W3CTraceContextPropagator.getInstance()));
    return tracers == null ? builder.build() : builder.setTracerProvider(tracers).build();
  }

  /** For features that count something of their own; does nothing when telemetry is off. */
  public OpenTelemetry openTelemetry() {
    return sdk == null ? OpenTelemetry.noop() : sdk;
  }

  /** What the gRPC server has to put in front of its services; empty when telemetry is off. */
  public List<ServerInterceptor> interceptors() {
    return interceptors;
  }

  /** Sends what is not sent yet and closes the port. */
  @Override
  public CompletionStage<?> stop(Duration grace) {
    CompletableFuture<Boolean> stopped = new CompletableFuture<>();
    if (sdk == null) {
      stopped.complete(true);
    } else {
      CompletableResultCode result = sdk.shutdown();
      result.whenComplete(() -> stopped.complete(result.isSuccess()));
    }
    return stopped;
  }
}
