package dev.troupe.server.event;

import com.google.inject.AbstractModule;
import com.google.inject.Scopes;
import com.google.inject.multibindings.Multibinder;
import dev.troupe.server.grpc.Drainable;
import dev.troupe.server.outbox.Outbox;
import io.grpc.BindableService;

/** Binds the event feature and adds its service to the server's. */
public final class EventModule extends AbstractModule {

  @Override
  protected void configure() {
    bind(EventStore.class).in(Scopes.SINGLETON);
    bind(TopicStore.class).in(Scopes.SINGLETON);
    bind(Publishing.class).in(Scopes.SINGLETON);
    bind(PublishStreams.class).in(Scopes.SINGLETON);
    bind(EventHistory.class).in(Scopes.SINGLETON);
    bind(TopicCalls.class).in(Scopes.SINGLETON);
    bind(TopicWork.class).in(Scopes.SINGLETON);
    bind(OutboxStore.class).in(Scopes.SINGLETON);
    bind(OutboxRelay.class).in(Scopes.SINGLETON);
    bind(Outbox.class).to(OutboxRelay.class);
    bind(SystemAlerts.class).in(Scopes.SINGLETON);
    bind(TopicStreams.class).in(Scopes.SINGLETON);
    bind(EventStarts.class).in(Scopes.SINGLETON);
    bind(Subscribing.class).in(Scopes.SINGLETON);
    bind(GroupStore.class).in(Scopes.SINGLETON);
    bind(GroupWakes.class).in(Scopes.SINGLETON);
    bind(GroupDispatchers.class).in(Scopes.SINGLETON);
    bind(GroupCalls.class).in(Scopes.SINGLETON);
    bind(GroupPulls.class).in(Scopes.SINGLETON);
    bind(ConsumeStreams.class).in(Scopes.SINGLETON);
    bind(GroupWork.class).in(Scopes.SINGLETON);
    bind(ReplyStore.class).in(Scopes.SINGLETON);
    bind(Inboxes.class).in(Scopes.SINGLETON);
    bind(Requests.class).in(Scopes.SINGLETON);
    bind(EventStreamService.class).in(Scopes.SINGLETON);
    Multibinder<Drainable> drainables = Multibinder.newSetBinder(binder(), Drainable.class);
    drainables.addBinding().to(PublishStreams.class);
    drainables.addBinding().to(GroupPulls.class);
    drainables.addBinding().to(ConsumeStreams.class);
    drainables.addBinding().to(Requests.class);
    Multibinder.newSetBinder(binder(), BindableService.class)
        .addBinding()
        .to(EventStreamService.class);
  }
}
