package dev.troupe.server.task;

import com.google.inject.Inject;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Writes completions of a queue together: while one script is under way, those that arrive wait for
 * the next. A single completion is written at once, and the busier a queue is, the more share the
 * cost of a script. Nothing waits longer than for the script before it, which has an end of its own
 * when Redis is away. Thread-safe.
 */
final class CompletionBatcher {

  /** Results of one script, after which no other is added to it. */
  private static final int MOST_BYTES = 1 << 20;

  private final TaskStore store;

  /** Those who wait, by queue; there is an entry while a script of the queue is under way. */
  private final Map<QueueId, Deque<Waiting>> queues = new HashMap<>();

  private record Waiting(Completion completion, CompletableFuture<@Nullable Void> done) {}

  @Inject
  CompletionBatcher(TaskStore store) {
    this.store = store;
  }

  /** Ends a task with a result; fails as {@link TaskStore} says. */
  CompletionStage<@Nullable Void> complete(QueueId queue, Completion completion) {
    Waiting one = new Waiting(completion, new CompletableFuture<>());
    synchronized (queues) {
      Deque<Waiting> behind = queues.get(queue);
      if (behind != null) {
        behind.add(one);
        return one.done;
      }
      queues.put(queue, new ArrayDeque<>());
    }
    write(queue, List.of(one));
    return one.done;
  }

  private void write(QueueId queue, List<Waiting> batch) {
    store
        .complete(queue, batch.stream().map(Waiting::completion).toList())
        .whenComplete(
            (outcomes, failure) -> {
              writeNext(queue);
              for (int i = 0; i < batch.size(); i++) {
                if (failure != null) {
                  batch.get(i).done.completeExceptionally(failure);
                } else if (outcomes.get(i) instanceof Completion.Refused refused) {
                  batch.get(i).done.completeExceptionally(refused.why());
                } else {
                  batch.get(i).done.complete(null);
                }
              }
            });
  }

  private void writeNext(QueueId queue) {
    List<Waiting> batch = new ArrayList<>();
    synchronized (queues) {
      Deque<Waiting> behind = queues.getOrDefault(queue, new ArrayDeque<>());
      int bytes = 0;
      while (!behind.isEmpty() && batch.size() < TaskStore.MOST_PER_SCRIPT && bytes < MOST_BYTES) {
        Waiting one = behind.remove();
        bytes += one.completion.result().length;
        batch.add(one);
      }
      if (batch.isEmpty()) {
        queues.remove(queue);
      }
    }
    if (!batch.isEmpty()) {
      write(queue, batch);
    }
  }
}
