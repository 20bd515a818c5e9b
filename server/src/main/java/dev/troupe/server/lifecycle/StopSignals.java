package dev.troupe.server.lifecycle;

import java.lang.reflect.Proxy;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Stops a lifecycle on SIGTERM, SIGINT or any other orderly end of the process. A second signal
 * ends the process at once.
 */
public final class StopSignals {

  private static final Logger log = LoggerFactory.getLogger(StopSignals.class);

  private static final int EXIT_AT_ONCE = 130;

  private final AtomicInteger signals = new AtomicInteger();
  private final Runnable exit;
  private final IntConsumer halt;

  StopSignals(Runnable exit, IntConsumer halt) {
    this.exit = exit;
    this.halt = halt;
  }

  /** Installs the handlers for this process; to be called once. */
  public static void install(Lifecycle lifecycle) {
    Runtime runtime = Runtime.getRuntime();
    runtime.addShutdownHook(new Thread(() -> stopAndWait(lifecycle), "stop"));
    // The hook does the work: Runtime.exit blocks until it has run, so not on the signal's thread.
    StopSignals handlers =
        new StopSignals(() -> new Thread(() -> runtime.exit(0), "exit").start(), runtime::halt);
    handlers.listenTo("TERM");
    handlers.listenTo("INT");
  }

  /**
   * The JDK's only way to hear of signals is {@code sun.misc.Signal}, which not every runtime image
   * has. Without it the shutdown hook still stops, only a second signal has no effect.
   */
  private void listenTo(String name) {
    try {
      Class<?> signal = Class.forName("sun.misc.Signal");
      Class<?> handler = Class.forName("sun.misc.SignalHandler");
      Object listener =
          Proxy.newProxyInstance(
              StopSignals.class.getClassLoader(),
              new Class<?>[] {handler},
              (self, method, arguments) -> {
                received(name);
                return null;
              });
      signal
          .getMethod("handle", signal, handler)
          .invoke(null, signal.getConstructor(String.class).newInstance(name), listener);
    } catch (ReflectiveOperationException e) {
      log.debug("cannot listen to SIG{}", name, e);
    }
  }

  void received(String name) {
    if (signals.incrementAndGet() == 1) {
      log.info("SIG{}: stopping; a second signal ends the process at once", name);
      exit.run();
    } else {
      log.warn("SIG{} again: ending without a stop", name);
      halt.accept(EXIT_AT_ONCE);
    }
  }

  private static void stopAndWait(Lifecycle lifecycle) {
    CountDownLatch stopped = new CountDownLatch(1);
    lifecycle.stop().whenComplete((done, failure) -> stopped.countDown());
    try {
      stopped.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
