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
 * that a thousand agents cost a few scripts: one for each partition and tick, or as many as it
 * takes when more than {@value AgentStore#MOST_HEARTBEATS} wait. Thread-safe.
 */
final class HeartbeatBatcher {

  private final AgentStore store;
  private final AgentConfig config;
  private final ScheduledExecutorService timers;

  /** Has a list for each partition that a timer or a script is under way for. */
  private final Map<Partition, List<Waiting>> gathered = new HashMap<>();

  private record Waiting(Beat beat, CompletableFuture<Beat.Outcome> outcome) {}

  @Inject
  HeartbeatBatcher(AgentStore store, AgentConfig config, ScheduledExecutorService timers) {
    this.store = store;
    this.config = config;
    this.timers = timers;
  }

  /** Writes a heartbeat with the next tick; those of an agent are written in their order. */
  CompletionStage<Beat.Outcome> beat(Partition partition, Beat beat) {
    CompletableFuture<Beat.Outcome> outcome = new CompletableFuture<>();
    boolean first;
    synchronized (gathered) {
      first = !gathered.containsKey(partition);
      gathered.computeIfAbsent(partition, p -> new ArrayList<>()).add(new Waiting(beat, outcome));
    }
    if (first) {
      tickLater(partition);
    }
    return outcome;
  }

  private void tickLater(Partition partition) {
    timers.schedule(
        () -> tick(partition), config.heartbeatTick().toMillis(), TimeUnit.MILLISECONDS);
  }

  private void tick(Partition partition) {
    List<Waiting> waiting;
    synchronized (gathered) {
      // An empty list stays in its place, so that nobody else begins to write.
      waiting = gathered.put(partition, new ArrayList<>());
    }
    if (waiting != null) {
      write(partition, waiting, 0);
    }
  }

  /** One script after the other, as what an agent says last has to be written last. */
  private void write(Partition partition, List<Waiting> waiting, int from) {
    if (from >= waiting.size()) {
      written(partition);
      return;
    }
    int to = Math.min(waiting.size(), from + AgentStore.MOST_HEARTBEATS);
    List<Waiting> part = waiting.subList(from, to);
    store
        .heartbeat(partition, part.stream().map(Waiting::beat).toList())
        .whenComplete(
            (outcomes, failure) -> {
              for (int i = 0; i < part.size(); i++) {
                if (failure != null) {
                  part.get(i).outcome.completeExceptionally(failure);
                } else {
                  part.get(i).outcome.complete(outcomes.get(i));
                }
              }
              write(partition, waiting, to);
            });
  }

  private void written(Partition partition) {
    synchronized (gathered) {
      if (gathered.getOrDefault(partition, List.of()).isEmpty()) {
        gathered.remove(partition);
        return;
      }
    }
    tickLater(partition);
  }
}
