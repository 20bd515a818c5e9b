package dev.troupe.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.inject.AbstractModule;
import com.google.inject.Provides;
import com.google.inject.Singleton;
import dev.troupe.server.cli.ServerLauncher.Running;
import dev.troupe.server.config.Config;
import dev.troupe.server.config.ConfigLoader;
import dev.troupe.server.lifecycle.Lifecycle;
import dev.troupe.server.lifecycle.LifecycleConfig;
import dev.troupe.server.lifecycle.PeriodicTasks;
import dev.troupe.server.lifecycle.Service;
import dev.troupe.server.telemetry.TelemetryConfig;
import dev.troupe.server.telemetry.TelemetryModule;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ServerAssemblyTest {

  private static final Config CONFIG =
      ConfigLoader.of(List.of(LifecycleConfig.class, TelemetryConfig.class)).load();

  private final List<String> events = new CopyOnWriteArrayList<>();

  /** A door that notes what happens to it. */
  private final class DoorModule extends AbstractModule {
    private final boolean broken;

    DoorModule(boolean broken) {
      this.broken = broken;
    }

    @Provides
    @Singleton
    Service door(Lifecycle lifecycle, PeriodicTasks tasks) {
      return lifecycle.register(
          Lifecycle.Phase.DOOR,
          "door",
          new Service() {
            @Override
            public CompletionStage<?> start() {
              if (broken) {
                throw new IllegalStateException("port is taken");
              }
              events.add("open");
              return CompletableFuture.completedFuture(null);
            }

            @Override
            public CompletionStage<?> stop(Duration grace) {
              events.add("closed, tasks " + tasks.status().size());
              return CompletableFuture.completedFuture(null);
            }
          });
    }

    @Provides
    Running running(Lifecycle lifecycle) {
      events.add("described");
      return new Running("127.0.0.1", 7070, List.of(), lifecycle.stopped());
    }
  }

  @Test
  void a_server_is_described_once_everything_has_started_and_stops_as_a_whole() throws Exception {
    List<Lifecycle> lifecycles = new CopyOnWriteArrayList<>();
    ServerAssembly assembly =
        new ServerAssembly(List.of(new TelemetryModule(), new DoorModule(false)), lifecycles::add);

    Running running = assembly.launch(CONFIG);
    assertThat(events).containsExactly("open", "described");

    lifecycles.get(0).stop();
    running.stopped().toCompletableFuture().get(60, TimeUnit.SECONDS);
    assertThat(events).containsExactly("open", "described", "closed, tasks 0");
  }

  @Test
  void a_start_that_fails_is_undone_and_reported_in_words() {
    ServerAssembly assembly = new ServerAssembly(List.of(new DoorModule(true)), lifecycle -> {});

    assertThatThrownBy(() -> assembly.launch(CONFIG))
        .hasMessage("door did not start: port is taken");
    assertThat(events).containsExactly("closed, tasks 0");
  }

  @Test
  void a_binding_that_nobody_made_is_refused_before_anything_starts() {
    ServerAssembly assembly = new ServerAssembly(List.of(), lifecycle -> {});

    assertThatThrownBy(() -> assembly.launch(CONFIG)).hasMessageContaining("Running");
    assertThat(events).isEmpty();
  }
}
