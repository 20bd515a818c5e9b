package dev.troupe.server.event;

import com.google.inject.AbstractModule;
import com.google.inject.Scopes;
import com.google.inject.multibindings.Multibinder;
import dev.troupe.server.grpc.Drainable;
import io.grpc.BindableService;

/** Binds the event feature and adds its service to the server's. */
public final class EventModule extends AbstractModule {

  @Override
  protected void configure() {
    bind(EventStore.class).in(Scopes.SINGLETON);
    bind(EventStarts.class).in(Scopes.SINGLETON);
    bind(ReplyStore.class).in(Scopes.SINGLETON);
    bind(Inboxes.class).in(Scopes.SINGLETON);
    bind(Requests.class).in(Scopes.SINGLETON);
    Multibinder.newSetBinder(binder(), Drainable.class).addBinding().to(Requests.class);
    bind(EventStreamService.class).in(Scopes.SINGLETON);
    Multibinder.newSetBinder(binder(), BindableService.class)
        .addBinding()
        .to(EventStreamService.class);
  }
}
