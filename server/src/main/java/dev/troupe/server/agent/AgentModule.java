package dev.troupe.server.agent;

import com.google.inject.AbstractModule;
import com.google.inject.Scopes;
import com.google.inject.multibindings.Multibinder;
import dev.troupe.server.grpc.Drainable;
import io.grpc.BindableService;

/** Binds the agent registry and adds its service to the server's. */
public final class AgentModule extends AbstractModule {

  @Override
  protected void configure() {
    bind(AgentStore.class).in(Scopes.SINGLETON);
    bind(AgentScripts.class).in(Scopes.SINGLETON);
    bind(PortStore.class).in(Scopes.SINGLETON);
    bind(AgentPorts.class).in(Scopes.SINGLETON);
    Multibinder.newSetBinder(binder(), SessionEndListener.class).addBinding().to(AgentPorts.class);
    bind(SessionEndings.class).in(Scopes.SINGLETON);
    bind(AgentChanges.class).in(Scopes.SINGLETON);
    bind(AgentListing.class).in(Scopes.SINGLETON);
    bind(AgentDirectory.class).to(IndexedAgents.class).in(Scopes.SINGLETON);
    bind(FleetCounting.class).in(Scopes.SINGLETON);
    bind(AgentWatching.class).in(Scopes.SINGLETON);
    bind(FigureStore.class).in(Scopes.SINGLETON);
    bind(FigureCounting.class).in(Scopes.SINGLETON);
    bind(CommandStore.class).in(Scopes.SINGLETON);
    bind(AgentBell.class).in(Scopes.SINGLETON);
    bind(HeartbeatBatcher.class).in(Scopes.SINGLETON);
    bind(HeartbeatStreams.class).in(Scopes.SINGLETON);
    bind(AgentWork.class).in(Scopes.SINGLETON);
    bind(AgentStateService.class).in(Scopes.SINGLETON);
    Multibinder.newSetBinder(binder(), Drainable.class).addBinding().to(HeartbeatStreams.class);
    Multibinder.newSetBinder(binder(), BindableService.class)
        .addBinding()
        .to(AgentStateService.class);
  }
}
