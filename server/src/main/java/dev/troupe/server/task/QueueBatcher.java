package dev.troupe.server.task;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.ToIntFunction;

/**
 * Writes what arrives for a queue together: while one script is under way, those that arrive wait
 * for the next. A single one is written at once, and the busier a queue is, the more share the cost
 * of a script. Nothing waits longer than for the scripts before it, which have an end of their own
 * when Redis is away. Thread-safe.
 *
 * @param <I> what is written
 * @param <O> what becomes of one of them
 */
final class QueueBatcher<I, O> {

  /** Size of one script's items, after which no other is added to it. */
  private static final int MOST_BYTES = 1 << 20;

  /** Writes up to {@link TaskStore#MOST_PER_SCRIPT} items and answers in their order. */
  interface Writer<I, O> {
    CompletionStage<List<O>> write(QueueId queue, List<I> items);
  }

  private final Writer<I, O> writer;
  private final ToIntFunction<I> size;

  /** Those who wait, by queue; there is an entry while a script of the queue is under way. */
  private final Map<QueueId, Deque<Waiting<I, O>>> queues = new HashMap<>();

  private record Waiting<I, O>(I item, CompletableFuture<O> outcome) {}

  /**
   * Waits for the first item.
   *
   * @param size of an item, bytes
   */
  QueueBatcher(Writer<I, O> writer, ToIntFunction<I> size) {
    this.writer = writer;
    this.size = size;
  }

  /** Writes an item, alone or with others; when their script fails, all of them fail. */
  CompletionStage<O> add(QueueId queue, I item) {
    Waiting<I, O> one = new Waiting<>(item, new CompletableFuture<>());
    synchronized (queues) {
      Deque<Waiting<I, O>> behind = queues.get(queue);
      if (behind != null) {
        behind.add(one);
        return one.outcome;
      }
      queues.put(queue, new ArrayDeque<>());
    }
    write(queue, List.of(one));
    return one.outcome;
  }

  private void write(QueueId queue, List<Waiting<I, O>> batch) {
    // In a stage, so that whatever is thrown fails these items and stops no others.
    CompletableFuture.completedFuture(batch.stream().map(Waiting::item).toList())
        .thenCompose(items -> writer.write(queue, items))
        .whenComplete(
            (outcomes, failure) -> {
              // Before the answers, so that Redis need not wait for their callers.
              writeNext(queue);
              for (int i = 0; i < batch.size(); i++) {
                if (failure != null) {
                  batch.get(i).outcome.completeExceptionally(failure);
                } else {
                  batch.get(i).outcome.complete(outcomes.get(i));
                }
              }
            });
  }

  private void writeNext(QueueId queue) {
    List<Waiting<I, O>> batch = new ArrayList<>();
    synchronized (queues) {
      Deque<Waiting<I, O>> behind = queues.getOrDefault(queue, new ArrayDeque<>());
      int bytes = 0;
      while (!behind.isEmpty() && batch.size() < TaskStore.MOST_PER_SCRIPT && bytes < MOST_BYTES) {
        Waiting<I, O> one = behind.remove();
        bytes += size.applyAsInt(one.item);
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
