package dev.troupe.server.task;

import com.google.inject.Inject;
import com.google.protobuf.util.Durations;
import dev.troupe.server.grpc.Names;
import dev.troupe.v1.Attempt;
import dev.troupe.v1.WorkerHello;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Lets a worker in: a new epoch in each of its queues, what it still holds kept, the rest of what
 * its earlier streams held given back.
 */
final class WorkerOpening {

  private final TaskStore store;
  private final TaskBell bell;

  /** An attempt that is still the worker's. */
  record Kept(QueueId queue, Attempt attempt) {}

  /** A worker that is in. */
  record Opened(WorkerIdentity identity, int slots, List<Kept> kept) {}

  @Inject
  WorkerOpening(TaskStore store, TaskBell bell) {
    this.store = store;
    this.bell = bell;
  }

  CompletionStage<Opened> open(WorkerHello hello) {
    String namespace = Names.namespace(hello.getNamespace());
    Map<QueueId, Long> epochs = new HashMap<>();
    List<Kept> kept = new ArrayList<>();
    CompletionStage<Void> all = CompletableFuture.completedFuture(null);
    for (String queue : new LinkedHashSet<>(hello.getQueuesList())) {
      // One after the other, so that the collections need no lock.
      all = all.thenCompose(done -> open(namespace, queue, hello, epochs, kept));
    }
    return all.thenApply(
        done ->
            new Opened(
                new WorkerIdentity(namespace, hello.getWorkerId(), capabilities(hello), epochs),
                hello.getSlots(),
                kept));
  }

  static Set<String> capabilities(WorkerHello hello) {
    Set<String> capabilities = new HashSet<>(hello.getCapabilitiesList());
    hello.getLabelsMap().forEach((key, value) -> capabilities.add(key + "=" + value));
    return capabilities;
  }

  private CompletionStage<Void> open(
      String namespace,
      String name,
      WorkerHello hello,
      Map<QueueId, Long> epochs,
      List<Kept> kept) {
    return store
        .locate(namespace, name)
        .thenCompose(
            queue ->
                bell.hear(queue.partition())
                    .thenCompose(unlisten -> store.openStream(queue, hello.getWorkerId()))
                    .thenCompose(
                        epoch -> {
                          epochs.put(queue, epoch);
                          List<Attempt> held =
                              hello.getHeldList().stream()
                                  .filter(attempt -> attempt.getQueue().equals(name))
                                  .toList();
                          return keep(queue, hello.getWorkerId(), epoch, held, kept)
                              .thenCompose(
                                  done -> giveBackOlder(queue, hello.getWorkerId(), epoch));
                        }));
  }

  private CompletionStage<Void> keep(
      QueueId queue, String worker, long epoch, List<Attempt> held, List<Kept> kept) {
    if (held.isEmpty()) {
      return CompletableFuture.completedFuture(null);
    }
    int part = Math.min(held.size(), TaskStore.MOST_PER_SCRIPT);
    List<Attempt> now = held.subList(0, part);
    return store
        .extend(queue, worker, epoch, now, Durations.ZERO)
        .thenCompose(
            extensions -> {
              for (int i = 0; i < now.size(); i++) {
                if (extensions.get(i) instanceof Extension.Extended) {
                  kept.add(new Kept(queue, now.get(i)));
                }
              }
              return keep(queue, worker, epoch, held.subList(part, held.size()), kept);
            });
  }

  private CompletionStage<Void> giveBackOlder(QueueId queue, String worker, long epoch) {
    return store
        .giveBack(queue, worker, epoch, true, Durations.ZERO, "the worker came back without it")
        .thenCompose(
            moved ->
                moved.more()
                    ? giveBackOlder(queue, worker, epoch)
                    : CompletableFuture.completedFuture(null));
  }
}
