package dev.troupe.server.telemetry;

import com.google.common.base.Ticker;
import com.google.inject.AbstractModule;
import com.google.inject.Provides;
import com.google.inject.Singleton;
import dev.troupe.server.lifecycle.Lifecycle;
import dev.troupe.server.lifecycle.PeriodicTasks;
import io.opentelemetry.api.OpenTelemetry;

/** Binds telemetry, which stops last so that it hears of everybody's end. */
public final class TelemetryModule extends AbstractModule {

  @Provides
  @Singleton
  Telemetry telemetry(
      TelemetryConfig config, PeriodicTasks tasks, Ticker ticker, Lifecycle lifecycle) {
    return lifecycle.register(
        Lifecycle.Phase.FOUNDATION, "telemetry", new Telemetry(config, tasks, ticker));
  }

  @Provides
  OpenTelemetry openTelemetry(Telemetry telemetry) {
    return telemetry.openTelemetry();
  }
}
