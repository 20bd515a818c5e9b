package dev.troupe.server;

import com.google.common.base.Ticker;
import com.google.inject.Binder;
import com.google.inject.CreationException;
import com.google.inject.Guice;
import com.google.inject.Injector;
import com.google.inject.Module;
import com.google.inject.ProvisionException;
import com.google.inject.Stage;
import com.google.inject.spi.Message;
import dev.troupe.server.cli.ServerLauncher;
import dev.troupe.server.config.Config;
import dev.troupe.server.config.ConfigModule;
import dev.troupe.server.lifecycle.Lifecycle;
import dev.troupe.server.lifecycle.LifecycleConfig;
import dev.troupe.server.lifecycle.LifecycleModule;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Puts a server together from modules, and starts it. */
final class ServerAssembly implements ServerLauncher {

  private final List<Module> modules;
  private final Consumer<Lifecycle> beforeStart;

  /**
   * Creates an assembly.
   *
   * @param modules of the features and kernels; configuration and lifecycle are added to them. One
   *     of them has to bind {@link Running}, which is read once everything has started.
   * @param beforeStart is given the lifecycle, to listen to signals
   */
  ServerAssembly(List<Module> modules, Consumer<Lifecycle> beforeStart) {
    this.modules = List.copyOf(modules);
    this.beforeStart = beforeStart;
  }

  @Override
  public Running launch(Config config) throws Exception {
    Lifecycle lifecycle =
        new Lifecycle(Ticker.systemTicker(), config.get(LifecycleConfig.class).stopGrace());
    List<Module> all = new ArrayList<>();
    all.add(new ConfigModule(config));
    all.add(new LifecycleModule(lifecycle));
    all.add(ServerAssembly::beStrict);
    all.addAll(modules);
    Injector injector;
    try {
      injector = Guice.createInjector(Stage.PRODUCTION, all);
    } catch (CreationException | ProvisionException e) {
      throw new IllegalStateException(causes(e), e);
    }
    beforeStart.accept(lifecycle);
    await(lifecycle.start());
    return injector.getInstance(Running.class);
  }

  private static void beStrict(Binder binder) {
    binder.requireExplicitBindings();
    binder.requireExactBindingAnnotations();
    binder.requireAtInjectOnConstructors();
    binder.getProvider(Running.class);
  }

  private static String causes(RuntimeException failure) {
    Collection<Message> messages =
        failure instanceof CreationException creation
            ? creation.getErrorMessages()
            : ((ProvisionException) failure).getErrorMessages();
    List<String> texts =
        messages.stream()
            .map(
                message ->
                    message.getCause() == null
                        ? message.getMessage()
                        : String.valueOf(message.getCause().getMessage()))
            .distinct()
            .toList();
    return String.join("; ", texts);
  }

  /** Waits on the launching thread, which has nothing else to do. */
  private static void await(CompletionStage<?> stage) throws Exception {
    CountDownLatch done = new CountDownLatch(1);
    AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    stage.whenComplete(
        (result, thrown) -> {
          failure.set(thrown);
          done.countDown();
        });
    done.await();
    Throwable thrown = failure.get();
    if (thrown != null) {
      throw thrown instanceof Exception exception ? exception : new IllegalStateException(thrown);
    }
  }
}
