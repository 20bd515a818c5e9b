package dev.troupe.server.redis;

import dev.troupe.server.error.TroupeException;
import dev.troupe.v1.ErrorReason;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.ToIntFunction;

/**
 * Writes what arrives for a place together: while one script is under way, those that arrive wait
 * for the next. A single one is written at once, and the busier a place is, the more share the cost
 * of a script. When Redis does not answer one script, those that wait behind it are refused with
 * it, so nothing waits for more than one timeout. Thread-safe.
 *
 * @param <K> the place: a partition, or a queue in it
 * @param <I> what is written
 * @param <O> what becomes of one of them
 */
public final class ScriptBatcher<K, I, O> {

  /** Size of one script's items, after which no other is added to it. */
  private static final int MOST_BYTES = 1 << 20;

  private static final Duration TRY_AGAIN = Duration.ofMillis(500);

  /**
   * Writes some items and answers in their order. It may answer for the first ones only, and for
   * one at least: the others are the first of the next script.
   */
  public interface Writer<K, I, O> {
    CompletionStage<List<O>> write(K place, List<I> items);
  }

  private final int mostPerScript;
  private final Writer<K, I, O> writer;
  private final ToIntFunction<I> size;

  /** Those who wait, by place; there is an entry while a script of the place is under way. */
  private final Map<K, Deque<Waiting<I, O>>> places = new HashMap<>();

  private record Waiting<I, O>(I item, CompletableFuture<O> outcome) {}

  /**
   * Waits for the first item.
   *
   * @param mostPerScript how many items the writer takes at a time
   * @param size of an item, bytes
   */
  public ScriptBatcher(int mostPerScript, Writer<K, I, O> writer, ToIntFunction<I> size) {
    this.mostPerScript = mostPerScript;
    this.writer = writer;
    this.size = size;
  }

  /** Writes an item, alone or with others; when their script fails, all of them fail. */
  public CompletionStage<O> add(K place, I item) {
    Waiting<I, O> one = new Waiting<>(item, new CompletableFuture<>());
    synchronized (places) {
      Deque<Waiting<I, O>> behind = places.get(place);
      if (behind != null) {
        behind.add(one);
        return one.outcome;
      }
      places.put(place, new ArrayDeque<>());
    }
    write(place, List.of(one));
    return one.outcome;
  }

  private void write(K place, List<Waiting<I, O>> batch) {
    // In a stage, so that whatever is thrown fails these items and stops no others.
    CompletableFuture.completedFuture(batch.stream().map(Waiting::item).toList())
        .thenCompose(items -> writer.write(place, items))
        .thenApply(
            outcomes -> {
              if (outcomes.isEmpty()) {
                throw new IllegalStateException("nothing became of any of them");
              }
              return outcomes;
            })
        .whenComplete(
            (outcomes, failure) -> {
              int done = failure == null ? Math.min(outcomes.size(), batch.size()) : batch.size();
              putBack(place, batch.subList(done, batch.size()));
              // Before the answers, so that Redis need not wait for their callers.
              if (failure == null || !isStoreAway(failure)) {
                writeNext(place);
              } else {
                refuseWaiting(place);
              }
              for (int i = 0; i < done; i++) {
                if (failure != null) {
                  batch.get(i).outcome.completeExceptionally(failure);
                } else {
                  batch.get(i).outcome.complete(outcomes.get(i));
                }
              }
            });
  }

  private void putBack(K place, List<Waiting<I, O>> left) {
    synchronized (places) {
      Deque<Waiting<I, O>> behind = places.get(place);
      for (int i = left.size() - 1; i >= 0 && behind != null; i--) {
        behind.addFirst(left.get(i));
      }
    }
  }

  /**
   * Redis did not answer in time, so those behind would wait for one timeout after the other; they
   * hear at once that nothing was done for them.
   */
  private void refuseWaiting(K place) {
    Deque<Waiting<I, O>> behind;
    synchronized (places) {
      behind = places.remove(place);
    }
    if (behind == null) {
      return;
    }
    for (Waiting<I, O> one : behind) {
      one.outcome.completeExceptionally(
          TroupeException.retryable(
              ErrorReason.ERROR_REASON_STORE_UNAVAILABLE,
              "the store does not answer; nothing was changed",
              TRY_AGAIN,
              null));
    }
  }

  private static boolean isStoreAway(Throwable failure) {
    Throwable cause =
        failure instanceof CompletionException && failure.getCause() != null
            ? failure.getCause()
            : failure;
    return cause instanceof TroupeException refusal
        && (refusal.reason() == ErrorReason.ERROR_REASON_STORE_UNAVAILABLE
            || refusal.reason() == ErrorReason.ERROR_REASON_OUTCOME_UNKNOWN);
  }

  private void writeNext(K place) {
    List<Waiting<I, O>> batch = new ArrayList<>();
    synchronized (places) {
      Deque<Waiting<I, O>> behind = places.getOrDefault(place, new ArrayDeque<>());
      int bytes = 0;
      while (!behind.isEmpty() && batch.size() < mostPerScript && bytes < MOST_BYTES) {
        Waiting<I, O> one = behind.remove();
        bytes += size.applyAsInt(one.item);
        batch.add(one);
      }
      if (batch.isEmpty()) {
        places.remove(place);
      }
    }
    if (!batch.isEmpty()) {
      write(place, batch);
    }
  }
}
