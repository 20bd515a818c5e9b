package dev.troupe.server.memory.search;

import java.util.List;

/**
 * Finds the vectors nearest to a query among all of a snapshot, and misses none: the int8 product
 * of each says what its key cannot exceed, and all that could still be among the best are looked at
 * exactly.
 */
final class VectorScan {

  /** Products that stay in the first-level cache. */
  private static final int BLOCK = 256;

  private final VectorKernel kernel;

  VectorScan(VectorKernel kernel) {
    this.kernel = kernel;
  }

  /** The best, best first. */
  List<TopSlots.Scored> best(
      Snapshot snapshot, VectorQuery query, FilterScan filter, long nowMicros, int limit) {
    TopSlots top = new TopSlots(snapshot, limit);
    Pass pass = new Pass(snapshot, query, filter, nowMicros, top);
    for (int i = 0; i < snapshot.chunks().length; i++) {
      Chunk chunk = snapshot.chunks()[i];
      if (chunk.dimension > 0) {
        pass.scan(i << Chunk.SHIFT, chunk);
      }
    }
    return top.ordered();
  }

  /** Offers what may be among the best of those that were born later than a sequence number. */
  void offerBornAfter(
      long sequence,
      Snapshot snapshot,
      VectorQuery query,
      FilterScan filter,
      long nowMicros,
      TopSlots top) {
    Pass pass = new Pass(snapshot, query, filter, nowMicros, top);
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

  private final class Pass {
    private final Snapshot snapshot;
    private final VectorQuery query;
    private final FilterScan filter;
    private final long nowMicros;
    private final TopSlots top;
    private final int[] products = new int[BLOCK];
    private final int[] nearby = new int[BLOCK];
    private final int[] places;

    Pass(Snapshot snapshot, VectorQuery query, FilterScan filter, long nowMicros, TopSlots top) {
      this.snapshot = snapshot;
      this.query = query;
      this.filter = filter;
      this.nowMicros = nowMicros;
      this.top = top;
      places = new int[filter.isEverything() ? 0 : Chunk.SIZE];
    }

    void scan(int firstSlot, Chunk chunk) {
      if (filter.isEverything()) {
        scanAll(firstSlot, chunk);
      } else {
        scanSelected(firstSlot, chunk, places, filter.select(chunk, places));
      }
    }

    private void scanAll(int firstSlot, Chunk chunk) {
      int used = chunk.used;
      for (int from = 0; from < used; from += BLOCK) {
        int count = Math.min(BLOCK, used - from);
        kernel.multiply(query.codes, chunk.codes, from, count, products);
        int near = query.select(chunk, from, count, products, top.threshold(), nearby);
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
      if (query.bound(chunk, at, product) < top.threshold()) {
        return;
      }
      if (chunk.isVisible(at, snapshot.sequence(), nowMicros)) {
        offer(firstSlot + at, chunk, at);
      }
    }

    private void offer(int slot, Chunk chunk, int at) {
      if (filter.accepts(snapshot.item(slot))) {
        double key = query.key(chunk, at);
        if (key >= top.threshold()) {
          top.offer(slot, key);
        }
      }
    }
  }
}
