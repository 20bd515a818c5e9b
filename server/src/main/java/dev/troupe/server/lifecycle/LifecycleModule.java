package dev.troupe.server.lifecycle;

import com.google.common.base.Ticker;
import com.google.inject.AbstractModule;
import com.google.inject.Provides;
import com.google.inject.Singleton;
import java.time.InstantSource;

/** Binds the clocks, the lifecycle and the periodic tasks. */
public final class LifecycleModule extends AbstractModule {

  private final Lifecycle lifecycle;

  public LifecycleModule(Lifecycle lifecycle) {
    this.lifecycle = lifecycle;
  }

  @Override
  protected void configure() {
    bind(Ticker.class).toInstance(Ticker.systemTicker());
    bind(InstantSource.class).toInstance(InstantSource.system());
    bind(Lifecycle.class).toInstance(lifecycle);
  }

  @Provides
  @Singleton
  PeriodicTasks periodicTasks(Ticker ticker, InstantSource clock) {
    return lifecycle.register("periodic tasks", new PeriodicTasks(ticker, clock));
  }
}
