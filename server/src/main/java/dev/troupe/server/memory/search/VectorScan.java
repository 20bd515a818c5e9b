package dev.troupe.server.memory.search;

import java.util.List;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

/**
 * Finds the vectors nearest to a query among all of a snapshot, and misses none: the int8 product
 * of each says what its key cannot exceed, and all that could still be among the best are looked at
 * exactly.
 */
final class VectorScan {

  /** Products that stay in the first-level cache. */
  private static final int BLOCK = 256;

  /** A chunk is scanned in parts of so many vectors, each by whichever thread is free. */
  private static final int PART = 1024;

  private static final int PARTS = Chunk.SIZE / PART;

  /**
   * Bytes of codes for which one more thread is worth waking. Less is read in a millisecond or so,
   * and the thread would be awake too late.
   */
  private static final long WORTH_A_THREAD = 6 << 20;

  private final VectorKernel kernel;

  VectorScan(VectorKernel kernel) {
    this.kernel = kernel;
  }

  /** The best, best first. */
  List<TopSlots.Scored> best(
      Snapshot snapshot, VectorQuery query, FilterScan filter, long nowMicros, int limit) {
    Best best = new Best(new TopSlots(snapshot, limit));
    AtomicInteger next = new AtomicInteger();
    // Who comes late finds nothing left to do, and nobody waits for it to begin.
    IntStream.range(0, threads(snapshot, query, filter))
        .parallel()
        .forEach(each -> new Pass(snapshot, query, filter, nowMicros, best).scanWhatIsLeft(next));
    return best.top.ordered();
  }

  /** Filters mostly leave so little that one thread is done before another one is awake. */
  private static int threads(Snapshot snapshot, VectorQuery query, FilterScan filter) {
    long bytes = (long) snapshot.embedded() * query.codes.length;
    return filter.isEverything()
        ? (int)
            Math.max(
                1, Math.min(ForkJoinPool.getCommonPoolParallelism() + 1, bytes / WORTH_A_THREAD))
        : 1;
  }

  /** Offers what may be among the best of those that were born later than a sequence number. */
  void offerBornAfter(
      long sequence,
      Snapshot snapshot,
      VectorQuery query,
      FilterScan filter,
      long nowMicros,
      TopSlots top) {
    Pass pass = new Pass(snapshot, query, filter, nowMicros, new Best(top));
    int[] places = new int[Chunk.SIZE];
    for (int i = 0; i < snapshot.chunks().length; i++) {
      Chunk chunk = snapshot.chunks()[i];
      if (chunk.dimension > 0) {
        int count = 0;
        for (int at = 0; at < chunk.used; at++) {
          places[count] = at;
          count += chunk.bornAt(at) > sequence ? 1 : 0;
        }
        pass.scanSelected(i << Chunk.SHIFT, chunk, places, count);
      }
    }
  }

  /** The best that all threads found so far; only what is nearly among them is offered. */
  private static final class Best {
    private final TopSlots top;
    private volatile double threshold;

    Best(TopSlots top) {
      this.top = top;
      threshold = top.threshold();
    }

    synchronized void offer(int slot, double key) {
      top.offer(slot, key);
      threshold = top.threshold();
    }
  }

  /** What one thread does of a scan. */
  private final class Pass {
    private final Snapshot snapshot;
    private final VectorQuery query;
    private final FilterScan filter;
    private final long nowMicros;
    private final Best best;
    private final int[] products = new int[BLOCK];
    private final int[] nearby = new int[BLOCK];
    private final int[] places;

    Pass(Snapshot snapshot, VectorQuery query, FilterScan filter, long nowMicros, Best best) {
      this.snapshot = snapshot;
      this.query = query;
      this.filter = filter;
      this.nowMicros = nowMicros;
      this.best = best;
      places = new int[filter.isEverything() ? 0 : PART];
    }

    void scanWhatIsLeft(AtomicInteger next) {
      int all = snapshot.chunks().length * PARTS;
      for (int part = next.getAndIncrement(); part < all; part = next.getAndIncrement()) {
        scan(part);
      }
    }

    private void scan(int part) {
      int number = part / PARTS;
      Chunk chunk = snapshot.chunks()[number];
      int from = part % PARTS * PART;
      int to = Math.min(from + PART, chunk.used);
      if (chunk.dimension == 0 || from >= to) {
        return;
      }
      int firstSlot = number << Chunk.SHIFT;
      if (filter.isEverything()) {
        scanAll(firstSlot, chunk, from, to);
      } else {
        scanSelected(firstSlot, chunk, places, filter.select(chunk, from, to, places));
      }
    }

    private void scanAll(int firstSlot, Chunk chunk, int begin, int end) {
      for (int from = begin; from < end; from += BLOCK) {
        int count = Math.min(BLOCK, end - from);
        kernel.multiply(query.codes, chunk.codes, from, count, products);
        int near = query.select(chunk, from, count, products, best.threshold, nearby);
        for (int i = 0; i < near; i++) {
          consider(firstSlot, chunk, from + nearby[i], products[nearby[i]]);
        }
      }
    }

    void scanSelected(int firstSlot, Chunk chunk, int[] which, int selected) {
      for (int from = 0; from < selected; from += BLOCK) {
        int count = Math.min(BLOCK, selected - from);
        kernel.multiply(query.codes, chunk.codes, which, from, count, products);
        for (int i = 0; i < count; i++) {
          consider(firstSlot, chunk, which[from + i], products[i]);
        }
      }
    }

    private void consider(int firstSlot, Chunk chunk, int at, int product) {
      // The other way round, what is not a number would be left out.
      if (query.bound(chunk, at, product) < best.threshold) {
        return;
      }
      if (chunk.isVisible(at, snapshot.sequence(), nowMicros)) {
        offer(firstSlot + at, chunk, at);
      }
    }

    private void offer(int slot, Chunk chunk, int at) {
      if (filter.accepts(snapshot.item(slot))) {
        double key = query.key(chunk, at);
        if (key >= best.threshold) {
          best.offer(slot, key);
        }
      }
    }
  }
}
