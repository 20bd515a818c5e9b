package dev.troupe.server.lifecycle;

import com.google.common.base.Ticker;
import com.google.inject.AbstractModule;
import java.time.InstantSource;

/** Binds the clocks, the lifecycle and the periodic tasks. */
public final class LifecycleModule extends AbstractModule {

  private final Lifecycle lifecycle;

  public LifecycleModule(Lifecycle lifecycle) {
    this.lifecycle = lifecycle;
  }

  @Override
  protected void configure() {
    Ticker ticker = Ticker.systemTicker();
    InstantSource clock = InstantSource.system();
    bind(Ticker.class).toInstance(ticker);
    bind(InstantSource.class).toInstance(clock);
    bind(Lifecycle.class).toInstance(lifecycle);
    bind(PeriodicTasks.class).toInstance(new PeriodicTasks(ticker, clock));
  }
}
