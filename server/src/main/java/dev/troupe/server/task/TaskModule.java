package dev.troupe.server.task;

import com.google.inject.AbstractModule;
import com.google.inject.Scopes;
import com.google.inject.multibindings.Multibinder;
import dev.troupe.server.agent.SessionEndListener;
import dev.troupe.server.grpc.Drainable;
import io.grpc.BindableService;

/** Binds the task feature and adds its service to the server's. */
public final class TaskModule extends AbstractModule {

  @Override
  protected void configure() {
    bind(TaskStore.class).in(Scopes.SINGLETON);
    bind(SharedScripts.class).in(Scopes.SINGLETON);
    bind(LeasePools.class).in(Scopes.SINGLETON);
    bind(WorkStreams.class).in(Scopes.SINGLETON);
    bind(TaskBell.class).in(Scopes.SINGLETON);
    bind(WorkerOpening.class).in(Scopes.SINGLETON);
    bind(WorkStreamHost.class).in(Scopes.SINGLETON);
    bind(TaskEndings.class).in(Scopes.SINGLETON);
    bind(TaskWaits.class).in(Scopes.SINGLETON);
    bind(TaskListings.class).in(Scopes.SINGLETON);
    bind(TaskEnqueuing.class).in(Scopes.SINGLETON);
    bind(TaskSweeper.class).in(Scopes.SINGLETON);
    bind(WorkerEndings.class).in(Scopes.SINGLETON);
    Multibinder.newSetBinder(binder(), SessionEndListener.class)
        .addBinding()
        .to(WorkerEndings.class);
    bind(TaskWork.class).in(Scopes.SINGLETON);
    Multibinder<Drainable> drainables = Multibinder.newSetBinder(binder(), Drainable.class);
    drainables.addBinding().to(TaskWork.class);
    drainables.addBinding().to(TaskWaits.class);
    bind(TaskQueueService.class).in(Scopes.SINGLETON);
    Multibinder.newSetBinder(binder(), BindableService.class)
        .addBinding()
        .to(TaskQueueService.class);
  }
}
