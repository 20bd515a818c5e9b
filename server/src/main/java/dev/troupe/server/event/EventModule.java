package dev.troupe.server.event;

import com.google.inject.AbstractModule;
import com.google.inject.Scopes;
import com.google.inject.multibindings.Multibinder;
import io.grpc.BindableService;

/** Binds the event feature and adds its service to the server's. */
public final class EventModule extends AbstractModule {

  @Override
  protected void configure() {
    bind(EventStore.class).in(Scopes.SINGLETON);
    bind(EventStarts.class).in(Scopes.SINGLETON);
    bind(Subscribing.class).in(Scopes.SINGLETON);
    bind(EventStreamService.class).in(Scopes.SINGLETON);
    Multibinder.newSetBinder(binder(), BindableService.class)
        .addBinding()
        .to(EventStreamService.class);
  }
}
