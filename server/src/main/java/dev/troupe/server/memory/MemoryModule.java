package dev.troupe.server.memory;

import com.google.inject.AbstractModule;
import com.google.inject.Scopes;
import com.google.inject.multibindings.Multibinder;
import io.grpc.BindableService;

/** Binds the memory feature and adds its service to the server's. */
public final class MemoryModule extends AbstractModule {

  @Override
  protected void configure() {
    bind(MemoryScripts.class).in(Scopes.SINGLETON);
    bind(SpaceDefaults.class).in(Scopes.SINGLETON);
    bind(SpaceStore.class).in(Scopes.SINGLETON);
    bind(SpaceChanges.class).in(Scopes.SINGLETON);
    bind(SpaceListing.class).in(Scopes.SINGLETON);
    bind(MemoryStore.class).in(Scopes.SINGLETON);
    bind(PutStore.class).in(Scopes.SINGLETON);
    bind(DefaultsStore.class).in(Scopes.SINGLETON);
    bind(NamespaceDefaults.class).in(Scopes.SINGLETON);
    bind(MemoryPuts.class).in(Scopes.SINGLETON);
    bind(MemoryReads.class).in(Scopes.SINGLETON);
    bind(MemoryChanges.class).in(Scopes.SINGLETON);
    bind(ConversationStore.class).in(Scopes.SINGLETON);
    bind(MemoryWatching.class).in(Scopes.SINGLETON);
    bind(IndexReads.class).in(Scopes.SINGLETON);
    bind(RedisClock.class).in(Scopes.SINGLETON);
    bind(IndexDumps.class).in(Scopes.SINGLETON);
    bind(MemoryIndexes.class).in(Scopes.SINGLETON);
    bind(IndexSaving.class).in(Scopes.SINGLETON);
    bind(MemorySearch.class).in(Scopes.SINGLETON);
    bind(MemoryWork.class).in(Scopes.SINGLETON);
    bind(MemoryService.class).in(Scopes.SINGLETON);
    Multibinder.newSetBinder(binder(), BindableService.class).addBinding().to(MemoryService.class);
  }
}
