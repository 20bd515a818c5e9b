package dev.troupe.server.grpc;

import com.google.common.base.Ticker;
import com.google.inject.AbstractModule;
import com.google.inject.Provides;
import com.google.inject.Scopes;
import com.google.inject.Singleton;
import com.google.inject.multibindings.Multibinder;
import com.google.inject.multibindings.ProvidesIntoSet;
import dev.troupe.server.lifecycle.Lifecycle;
import dev.troupe.server.lifecycle.Service;
import dev.troupe.server.telemetry.Telemetry;
import io.grpc.BindableService;
import io.netty.channel.EventLoopGroup;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** Binds the door, the event loops that it shares with Redis, and the timers of waiting calls. */
public final class GrpcModule extends AbstractModule {

  @Override
  protected void configure() {
    Multibinder.newSetBinder(binder(), BindableService.class);
    bind(ChangeWatches.class).in(Scopes.SINGLETON);
    bind(PartitionPages.class).in(Scopes.SINGLETON);
    Multibinder.newSetBinder(binder(), Drainable.class);
  }

  @Provides
  @Singleton
  EventLoopGroup eventLoops(Lifecycle lifecycle) {
    EventLoopGroup group = EventLoops.open();
    lifecycle.register(
        Lifecycle.Phase.FOUNDATION,
        "event loops",
        new Service() {
          @Override
          public CompletionStage<?> stop(Duration grace) {
            CompletableFuture<Void> ended = new CompletableFuture<>();
            group
                .shutdownGracefully(0, grace.toMillis(), TimeUnit.MILLISECONDS)
                .addListener(done -> ended.complete(null));
            return ended;
          }
        });
    return group;
  }

  @Provides
  @Singleton
  RefusedCalls refusedCalls() {
    return new RefusedCalls();
  }

  /** The event loops keep time too: what they run must not block. */
  @Provides
  @Singleton
  ScheduledExecutorService timers(EventLoopGroup eventLoops) {
    return eventLoops;
  }

  @Provides
  @Singleton
  StreamPumps streamPumps(ScheduledExecutorService timers, Ticker ticker) {
    return new StreamPumps(timers, ticker);
  }

  @ProvidesIntoSet
  Drainable pumps(StreamPumps pumps) {
    return pumps::stop;
  }

  @Provides
  @Singleton
  GrpcDoor door(
      GrpcConfig config,
      EventLoopGroup eventLoops,
      Set<BindableService> services,
      Set<Drainable> drainables,
      Telemetry telemetry,
      RefusedCalls refused,
      Lifecycle lifecycle) {
    // Before anything is started that would only have to be stopped again.
    lifecycle.register(Lifecycle.Phase.FOUNDATION, "gRPC", new FreePort(config));
    return lifecycle.register(
        Lifecycle.Phase.DOOR,
        "gRPC",
        new GrpcDoor(config, eventLoops, services, drainables, telemetry, refused));
  }
}
