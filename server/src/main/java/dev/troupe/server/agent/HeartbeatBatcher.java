package dev.troupe.server.agent;

import com.google.inject.Inject;
import dev.troupe.server.redis.Partition;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Gathers the heartbeats of all streams for a tick and writes those of a partition together, so
 * that a thousand agents cost a few scripts. Thread-safe.
 */
final class HeartbeatBatcher {

  private final AgentStore store;
  private final AgentConfig config;
  private final ScheduledExecutorService timers;
  private final Map<Partition, List<Waiting>> gathered = new HashMap<>();

  private record Waiting(Beat beat, CompletableFuture<Beat.Outcome> outcome) {}

  @Inject
  HeartbeatBatcher(AgentStore store, AgentConfig config, ScheduledExecutorService timers) {
    this.store = store;
    this.config = config;
    this.timers = timers;
  }

  /** Writes a heartbeat with the next tick. */
  CompletionStage<Beat.Outcome> beat(Partition partition, Beat beat) {
    CompletableFuture<Beat.Outcome> outcome = new CompletableFuture<>();
    boolean first;
    List<Waiting> full = null;
    synchronized (gathered) {
      List<Waiting> waiting = gathered.computeIfAbsent(partition, p -> new ArrayList<>());
      waiting.add(new Waiting(beat, outcome));
      first = waiting.size() == 1;
      if (waiting.size() == AgentStore.MOST_HEARTBEATS) {
        full = gathered.remove(partition);
      }
    }
    if (full != null) {
      write(partition, full);
    } else if (first) {
      timers.schedule(
          () -> tick(partition), config.heartbeatTick().toMillis(), TimeUnit.MILLISECONDS);
    }
    return outcome;
  }

  private void tick(Partition partition) {
    List<Waiting> waiting;
    synchronized (gathered) {
      waiting = gathered.remove(partition);
    }
    if (waiting != null) {
      write(partition, waiting);
    }
  }

  private void write(Partition partition, List<Waiting> waiting) {
    store
        .heartbeat(partition, waiting.stream().map(Waiting::beat).toList())
        .whenComplete(
            (outcomes, failure) -> {
              for (int i = 0; i < waiting.size(); i++) {
                if (failure != null) {
                  waiting.get(i).outcome.completeExceptionally(failure);
                } else {
                  waiting.get(i).outcome.complete(outcomes.get(i));
                }
              }
            });
  }
}
