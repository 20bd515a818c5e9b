package dev.troupe.server.lock;

import com.google.inject.AbstractModule;
import com.google.inject.Scopes;
import com.google.inject.multibindings.Multibinder;
import dev.troupe.server.agent.SessionEndListener;
import dev.troupe.server.grpc.Drainable;
import io.grpc.BindableService;

/** Binds the lock feature and adds its service to the server's. */
public final class LockModule extends AbstractModule {

  @Override
  protected void configure() {
    bind(LockStore.class).in(Scopes.SINGLETON);
    bind(Wishes.class).in(Scopes.SINGLETON);
    bind(Deadlocks.class).in(Scopes.SINGLETON);
    bind(LockWaits.class).in(Scopes.SINGLETON);
    bind(LockSets.class).in(Scopes.SINGLETON);
    bind(LockCalls.class).in(Scopes.SINGLETON);
    bind(LockStreams.class).in(Scopes.SINGLETON);
    bind(LockListing.class).in(Scopes.SINGLETON);
    bind(LockWatching.class).in(Scopes.SINGLETON);
    bind(KeepAliveStreams.class).in(Scopes.SINGLETON);
    bind(LockWork.class).in(Scopes.SINGLETON);
    bind(SessionLocks.class).in(Scopes.SINGLETON);
    Multibinder.newSetBinder(binder(), SessionEndListener.class)
        .addBinding()
        .to(SessionLocks.class);
    bind(LockService.class).in(Scopes.SINGLETON);
    Multibinder<Drainable> drainables = Multibinder.newSetBinder(binder(), Drainable.class);
    drainables.addBinding().to(LockWaits.class);
    drainables.addBinding().to(KeepAliveStreams.class);
    drainables.addBinding().to(LockStreams.class);
    Multibinder.newSetBinder(binder(), BindableService.class).addBinding().to(LockService.class);
  }
}
