package dev.troupe.server.memory.search;

/** How one thread goes through vectors, a block at a time. */
final class BlockPass {

  /** Products that stay in the first-level cache. */
  static final int BLOCK = 256;

  private final VectorKernel kernel;
  private final Snapshot snapshot;
  private final VectorQuery query;
  private final FilterScan filter;
  private final long nowMicros;
  private final SharedTop best;
  private final int[] which = new int[BLOCK];
  private final int[] products = new int[BLOCK];
  private final int[] others = new int[BLOCK];

  BlockPass(
      VectorKernel kernel,
      Snapshot snapshot,
      VectorQuery query,
      FilterScan filter,
      long nowMicros,
      SharedTop best) {
    this.kernel = kernel;
    this.snapshot = snapshot;
    this.query = query;
    this.filter = filter;
    this.nowMicros = nowMicros;
    this.best = best;
  }

  /** Offers what is among the best of some vectors of a chunk. */
  void read(int firstSlot, Chunk chunk, int[] selected, int many) {
    for (int from = 0; from < many; from += BLOCK) {
      int count = Math.min(BLOCK, many - from);
      System.arraycopy(selected, from, which, 0, count);
      kernel.multiply(query.parts[0], chunk.codes[0], which, count, products);
      readOn(firstSlot, chunk, count);
    }
  }

  /** The same of vectors that lie one behind the other, at most a block. */
  void read(int firstSlot, Chunk chunk, int first, int count) {
    for (int i = 0; i < count; i++) {
      which[i] = first + i;
    }
    kernel.multiply(query.parts[0], chunk.codes[0], first, count, products, 0);
    if (query.parts.length > 1) {
      kernel.multiply(query.parts[1], chunk.codes[1], first, count, others, 0);
      addOthers(count);
    }
    considerAll(firstSlot, chunk, count);
  }

  /**
   * The same, knowing their first parts.
   *
   * @param firstParts the products of these, by slot
   * @param guesses what these say, by slot
   * @return how many were read on
   */
  int read(int firstSlot, Chunk chunk, int first, int count, int[] firstParts, float[] guesses) {
    float cut = query.cut(chunk, best.threshold());
    int left = 0;
    for (int at = first; at < first + count; at++) {
      which[left] = at;
      // The other way round, what is not a number would be left out.
      left += guesses[firstSlot + at] < cut ? 0 : 1;
    }
    for (int i = 0; i < left; i++) {
      products[i] = firstParts[firstSlot + which[i]];
    }
    return readOn(firstSlot, chunk, left);
  }

  /** Goes on with those whose first part has been multiplied; returns how many it reads on. */
  private int readOn(int firstSlot, Chunk chunk, int count) {
    int left = count;
    if (query.parts.length > 1) {
      left = query.select(chunk, which, count, products, false, best.threshold());
      kernel.multiply(query.parts[1], chunk.codes[1], which, left, others);
      addOthers(left);
    }
    considerAll(firstSlot, chunk, left);
    return left;
  }

  private void addOthers(int count) {
    for (int i = 0; i < count; i++) {
      products[i] += others[i];
    }
  }

  private void considerAll(int firstSlot, Chunk chunk, int count) {
    int left = query.select(chunk, which, count, products, true, best.threshold());
    for (int i = 0; i < left; i++) {
      consider(firstSlot + which[i], chunk, which[i], products[i]);
    }
  }

  private void consider(int slot, Chunk chunk, int at, int product) {
    // The other way round, what is not a number would be left out.
    if (query.bound(chunk, at, product) < best.threshold()) {
      return;
    }
    if (chunk.isVisible(at, snapshot.sequence(), nowMicros)
        && filter.accepts(snapshot.item(slot))) {
      double key = query.key(chunk, at);
      if (key >= best.threshold()) {
        best.offer(slot, key);
      }
    }
  }
}
