package dev.troupe.server.telemetry;

import dev.troupe.server.config.Setting;
import java.util.ArrayList;
import java.util.List;

/**
 * Settings of metrics and traces.
 *
 * @param prometheusPort where metrics can be scraped; 0 means nowhere
 * @param prometheusHost the address that this port is opened on
 * @param otlpEndpoint the collector that metrics and traces are sent to; empty means none
 * @param traceSampleRatio which part of the calls is traced when the caller does not say
 * @param serviceName the name that this server goes by
 */
public record TelemetryConfig(
    @Setting(
            name = "telemetry.prometheus-port",
            help = "Port that serves /metrics to Prometheus, 1 to 65535; 0 is off.",
            fallback = "0")
        int prometheusPort,
    @Setting(
            name = "telemetry.prometheus-host",
            help = "Address that the port for Prometheus is opened on.",
            fallback = "127.0.0.1")
        String prometheusHost,
    @Setting(
            name = "telemetry.otlp-endpoint",
            help =
                "OTLP/gRPC collector for metrics and traces, such as http://localhost:4317; empty"
                    + " is off.",
            fallback = "")
        String otlpEndpoint,
    @Setting(
            name = "telemetry.trace-sample-ratio",
            help =
                "Part of the calls that is traced, 0 to 1; a caller that sends a trace context"
                    + " decides itself.",
            fallback = "0")
        double traceSampleRatio,
    @Setting(
            name = "telemetry.service-name",
            help = "Name of this server in metrics and traces.",
            fallback = "troupe")
        String serviceName) {

  public TelemetryConfig {
    List<String> problems = new ArrayList<>();
    if (prometheusPort < 0 || prometheusPort > 65535) {
      problems.add("telemetry.prometheus-port: " + prometheusPort + " (expected: 0 to 65535)");
    }
    if (!otlpEndpoint.isEmpty() && !otlpEndpoint.matches("https?://.+")) {
      problems.add(
          "telemetry.otlp-endpoint: " + otlpEndpoint + " (expected: http:// or https:// URL)");
    }
    if (!(traceSampleRatio >= 0 && traceSampleRatio <= 1)) {
      problems.add("telemetry.trace-sample-ratio: " + traceSampleRatio + " (expected: 0 to 1)");
    }
    if (serviceName.isEmpty()) {
      problems.add("telemetry.service-name: must not be empty");
    }
    if (!problems.isEmpty()) {
      throw new IllegalArgumentException(String.join("\n", problems));
    }
  }

  boolean scraped() {
    return prometheusPort > 0;
  }

  boolean exported() {
    return !otlpEndpoint.isEmpty();
  }
}
