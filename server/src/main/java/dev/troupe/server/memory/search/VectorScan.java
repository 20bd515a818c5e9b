package dev.troupe.server.memory.search;

import java.util.List;

/**
 * Finds the vectors nearest to a query among all of a snapshot, and misses none: the int8 product
 * of their first dimensions says what the key of each cannot exceed. Of those that could still be
 * among the best, the other dimensions are read, and what is left then is looked at exactly.
 */
final class VectorScan {

  /** After one scan to which the first part said little, so many do without asking it. */
  private static final int STRAIGHT = 15;

  private final VectorKernel kernel;

  /** How many scans still do; threads that count at once lose a few. */
  private volatile int straight;

  VectorScan(VectorKernel kernel) {
    this.kernel = kernel;
  }

  /** The best, best first. */
  List<TopSlots.Scored> best(
      Snapshot snapshot, VectorQuery query, FilterScan filter, long nowMicros, int limit) {
    if (filter.isEverything()) {
      return all(new WholeScan(kernel, snapshot, query, nowMicros, limit));
    }
    // Filters mostly leave so little that one thread is done before another one is awake.
    TopSlots top = new TopSlots(snapshot, limit);
    BlockPass pass = pass(snapshot, query, filter, nowMicros, top);
    int[] places = new int[Chunk.SIZE];
    for (int i = 0; i < snapshot.chunks().length; i++) {
      Chunk chunk = snapshot.chunks()[i];
      if (chunk.dimension > 0) {
        pass.read(i << Chunk.SHIFT, chunk, places, filter.select(chunk, 0, chunk.used, places));
      }
    }
    return top.ordered();
  }

  private List<TopSlots.Scored> all(WholeScan scan) {
    if (!scan.mayBeSpared()) {
      return scan.straight();
    }
    int left = straight;
    if (left > 0) {
      straight = left - 1;
      return scan.straight();
    }
    List<TopSlots.Scored> best = scan.inTwoRounds();
    straight = scan.readMost() ? STRAIGHT : 0;
    return best;
  }

  /** Offers what may be among the best of those that were born later than a sequence number. */
  void offerBornAfter(
      long sequence,
      Snapshot snapshot,
      VectorQuery query,
      FilterScan filter,
      long nowMicros,
      TopSlots top) {
    BlockPass pass = pass(snapshot, query, filter, nowMicros, top);
    int[] places = new int[Chunk.SIZE];
    for (int i = 0; i < snapshot.chunks().length; i++) {
      Chunk chunk = snapshot.chunks()[i];
      if (chunk.dimension > 0) {
        int count = 0;
        for (int at = 0; at < chunk.used; at++) {
          places[count] = at;
          count += chunk.bornAt(at) > sequence ? 1 : 0;
        }
        pass.read(i << Chunk.SHIFT, chunk, places, count);
      }
    }
  }

  private BlockPass pass(
      Snapshot snapshot, VectorQuery query, FilterScan filter, long nowMicros, TopSlots top) {
    SharedTop shared = new SharedTop(top, Double.NEGATIVE_INFINITY);
    return new BlockPass(kernel, snapshot, query, filter, nowMicros, shared);
  }
}
