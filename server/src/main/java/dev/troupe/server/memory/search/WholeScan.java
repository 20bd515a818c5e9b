package dev.troupe.server.memory.search;

import java.util.List;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

/**
 * A scan without a filter, in two rounds: one reads the first dimensions of all vectors and finds
 * some that seem near; how near these are shows the other one that nearly all others are not.
 */
final class WholeScan {

  /** The vectors of a chunk are taken so many at a time, by whichever thread is free. */
  private static final int STRETCH = 1024;

  private static final int STRETCHES = Chunk.SIZE / STRETCH;

  /**
   * Bytes of first parts for which one more thread is worth waking. Less is read in some hundred
   * microseconds, and the thread would be awake too late.
   */
  private static final long WORTH_A_THREAD = 2 << 20;

  /** So many more than are wanted are looked at first, as not all that seem near are. */
  private static final int MORE = 16;

  /** Vectors for each that is looked at first, or asking costs more than it spares. */
  private static final int FEW = 8;

  private final VectorKernel kernel;
  private final Snapshot snapshot;
  private final VectorQuery query;
  private final long nowMicros;
  private final int limit;

  /** How many vectors the second round looked at, and how many of them it read whole. */
  private final AtomicInteger looked = new AtomicInteger();

  private final AtomicInteger readOn = new AtomicInteger();

  WholeScan(VectorKernel kernel, Snapshot snapshot, VectorQuery query, long nowMicros, int limit) {
    this.kernel = kernel;
    this.snapshot = snapshot;
    this.query = query;
    this.nowMicros = nowMicros;
    this.limit = limit;
  }

  /**
   * Whether it is worth asking the first part: there is another one, and few vectors are wanted.
   */
  boolean mayBeSpared() {
    return query.parts.length > 1 && FEW * (limit + MORE) < snapshot.embedded();
  }

  /** The best, best first. */
  List<TopSlots.Scored> inTwoRounds() {
    int[] products = new int[snapshot.chunks().length << Chunk.SHIFT];
    float[] guesses = new float[products.length];
    TopSlots near = new TopSlots(snapshot, limit + MORE);
    SharedTop nearest = new SharedTop(near, Double.NEGATIVE_INFINITY);
    forAll(
        () ->
            (firstSlot, chunk, from, count) ->
                guess(firstSlot, chunk, from, count, products, guesses, nearest));

    TopSlots top = new TopSlots(snapshot, limit);
    SharedTop best = new SharedTop(top, reachedBy(near));
    forAll(
        () -> {
          BlockPass pass = pass(best);
          return (firstSlot, chunk, from, count) -> {
            looked.addAndGet(count);
            readOn.addAndGet(pass.read(firstSlot, chunk, from, count, products, guesses));
          };
        });
    List<TopSlots.Scored> found = top.ordered();
    // What showed how near the best are may have run out since, so that others are among them.
    return found.size() < limit ? straight() : found;
  }

  /** Whether the first round spared less than half of the reading. */
  boolean readMost() {
    return 2L * readOn.get() > looked.get();
  }

  /** The same in one round that reads everything. */
  List<TopSlots.Scored> straight() {
    TopSlots top = new TopSlots(snapshot, limit);
    SharedTop best = new SharedTop(top, Double.NEGATIVE_INFINITY);
    forAll(
        () -> {
          BlockPass pass = pass(best);
          return (firstSlot, chunk, from, count) -> pass.read(firstSlot, chunk, from, count);
        });
    return top.ordered();
  }

  private BlockPass pass(SharedTop best) {
    return new BlockPass(kernel, snapshot, query, FilterScan.EVERYTHING, nowMicros, best);
  }

  private void guess(
      int firstSlot,
      Chunk chunk,
      int from,
      int count,
      int[] products,
      float[] guesses,
      SharedTop nearest) {
    int first = firstSlot + from;
    kernel.multiply(query.parts[0], chunk.codes[0], from, count, products, first);
    query.guess(chunk, from, count, products, guesses, first);
    double enough = nearest.threshold();
    for (int i = 0; i < count; i++) {
      if (guesses[first + i] > enough
          && chunk.isVisible(from + i, snapshot.sequence(), nowMicros)) {
        nearest.offer(first + i, guesses[first + i]);
        enough = nearest.threshold();
      }
    }
  }

  /** What the keys of the best reach at least, by those of some that seem near. */
  private double reachedBy(TopSlots near) {
    TopSlots exact = new TopSlots(snapshot, limit);
    for (TopSlots.Scored each : near.ordered()) {
      exact.offer(each.slot(), query.key(snapshot.chunk(each.slot()), Snapshot.at(each.slot())));
    }
    return exact.threshold();
  }

  /** What is done with a block of vectors of a chunk. */
  private interface Work {
    void on(int firstSlot, Chunk chunk, int from, int count);
  }

  private interface Worker {
    Work begin();
  }

  private void forAll(Worker worker) {
    AtomicInteger next = new AtomicInteger();
    // Who comes late finds nothing left to do, and nobody waits for it to begin.
    IntStream.range(0, threads()).parallel().forEach(each -> takeWhatIsLeft(next, worker.begin()));
  }

  private int threads() {
    long bytes = (long) snapshot.embedded() * query.parts[0].length;
    return (int)
        Math.max(1, Math.min(ForkJoinPool.getCommonPoolParallelism() + 1, bytes / WORTH_A_THREAD));
  }

  private void takeWhatIsLeft(AtomicInteger next, Work work) {
    int all = snapshot.chunks().length * STRETCHES;
    for (int taken = next.getAndIncrement(); taken < all; taken = next.getAndIncrement()) {
      int number = taken / STRETCHES;
      Chunk chunk = snapshot.chunks()[number];
      int begin = taken % STRETCHES * STRETCH;
      int end = chunk.dimension == 0 ? begin : Math.min(begin + STRETCH, chunk.used);
      for (int from = begin; from < end; from += BlockPass.BLOCK) {
        work.on(number << Chunk.SHIFT, chunk, from, Math.min(BlockPass.BLOCK, end - from));
      }
    }
  }
}
