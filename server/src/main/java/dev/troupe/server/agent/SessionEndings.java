package dev.troupe.server.agent;

import com.google.inject.Inject;
import dev.troupe.server.lifecycle.PeriodicTask;
import dev.troupe.server.lifecycle.PeriodicTasks;
import dev.troupe.server.redis.Leaders;
import dev.troupe.server.redis.Namespaces;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.PartitionSweep;
import dev.troupe.server.redis.PartitionSweep.Swept;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has given back what sessions held that are over.
 *
 * <p>The script that ends a session writes it into an outbox of the agent's partition, in the same
 * step; an entry is removed only after every listener is done with it. So nothing is forgotten when
 * a server dies in between: the entry is taken again when the claim of the one that died is over.
 */
final class SessionEndings {

  private static final Logger log = LoggerFactory.getLogger(SessionEndings.class);
  private static final Duration SOONEST = Duration.ofMillis(10);
  private static final Duration LATEST = Duration.ofMillis(250);

  /** How long a server has to itself what it took. */
  private static final Duration CLAIM = Duration.ofSeconds(2);

  private final AgentStore store;
  private final Set<SessionEndListener> listeners;
  private final PartitionSweep sweep;
  private volatile @Nullable PeriodicTask task;

  @Inject
  SessionEndings(
      AgentStore store, Set<SessionEndListener> listeners, Leaders leaders, Namespaces namespaces) {
    this.store = store;
    this.listeners = listeners;
    this.sweep =
        new PartitionSweep(leaders.of(AgentWork.DUTY), namespaces, this::giveBack, SOONEST, LATEST);
  }

  void begin(PeriodicTasks tasks) {
    task = tasks.schedule("agent-endings", sweep::round);
  }

  /** A session has just ended here: do not wait for the next round. */
  void poke() {
    PeriodicTask begun = task;
    if (begun != null) {
      begun.poke();
    }
  }

  private CompletionStage<Swept> giveBack(Partition partition) {
    return store
        .endings(partition, CLAIM)
        .thenCompose(
            endings -> {
              ConcurrentLinkedQueue<SessionEnd> settled = new ConcurrentLinkedQueue<>();
              List<CompletableFuture<?>> all = new ArrayList<>();
              for (SessionEnd end : endings.sessions()) {
                all.add(tell(end).thenRun(() -> settled.add(end)).exceptionally(failure -> null));
              }
              return CompletableFuture.allOf(all.toArray(CompletableFuture<?>[]::new))
                  .thenCompose(told -> store.settle(partition, List.copyOf(settled)))
                  .thenApply(
                      done ->
                          new Swept(
                              endings.sessions().size() >= AgentStore.MOST_SWEPT,
                              endings.dueInMicros()));
            });
  }

  private CompletableFuture<?> tell(SessionEnd end) {
    CompletableFuture<?>[] all =
        listeners.stream()
            .map(listener -> tell(listener, end))
            .toArray(CompletableFuture<?>[]::new);
    return CompletableFuture.allOf(all);
  }

  private static CompletableFuture<?> tell(SessionEndListener listener, SessionEnd end) {
    CompletableFuture<?> told;
    try {
      told = listener.sessionEnded(end).toCompletableFuture();
    } catch (RuntimeException fault) {
      told = CompletableFuture.failedFuture(fault);
    }
    return told.whenComplete(
        (done, failure) -> {
          if (failure != null) {
            log.debug("{} is tried again: {}", end, failure.toString());
          }
        });
  }
}
