package dev.troupe.server.memory.search;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * A kernel that is fast only when the JVM has compiled it well, and takes some hundred times as
 * long before. Until then the plain loops do the work, and the fast ones are tried with a few
 * vectors of each block: with more and more while they are no slower. So the first searches of a
 * process are not held up. Thread-safe.
 */
final class WarmingKernel implements VectorKernel {

  /** Enough to be compiled at some time, and little enough not to be noticed until then. */
  private static final int LEAST = 4;

  /** Half of a block. */
  private static final int MOST = 128;

  /** Smaller blocks are too short to be timed; one of so many is tried. */
  private static final int ONE_OF = 16;

  /** Compiled by then, whatever the times say: those of short vectors say little. */
  private static final int SURELY = 100_000;

  private final VectorKernel plain = new PlainKernel();
  private final VectorKernel fast;
  private final AtomicInteger tried = new AtomicInteger();
  private final AtomicInteger small = new AtomicInteger();
  private volatile int share = LEAST;
  private volatile boolean warm;

  WarmingKernel(VectorKernel fast) {
    this.fast = fast;
  }

  @Override
  public String name() {
    return fast.name();
  }

  boolean isWarm() {
    return warm;
  }

  @Override
  public void multiply(short[] query, byte[] codes, int first, int count, int[] products, int to) {
    if (warm) {
      fast.multiply(query, codes, first, count, products, to);
      return;
    }
    long begun = System.nanoTime();
    plain.multiply(query, codes, first, count, products, to);
    long between = System.nanoTime();
    int some = some(count);
    if (some > 0) {
      fast.multiply(query, codes, first, some, products, to);
      compare(some, System.nanoTime() - between, count, between - begun);
    }
  }

  @Override
  public void multiply(short[] query, byte[] codes, int[] which, int count, int[] products) {
    if (warm) {
      fast.multiply(query, codes, which, count, products);
      return;
    }
    long begun = System.nanoTime();
    plain.multiply(query, codes, which, count, products);
    long between = System.nanoTime();
    int some = some(count);
    if (some > 0) {
      fast.multiply(query, codes, which, some, products);
      compare(some, System.nanoTime() - between, count, between - begun);
    }
  }

  /** With how many of a block to try the fast loops; they compute the same once more. */
  private int some(int count) {
    int wanted = share;
    if (count >= wanted) {
      return wanted;
    }
    return small.getAndIncrement() % ONE_OF == 0 ? count : 0;
  }

  private void compare(int some, long fastNanos, int count, long plainNanos) {
    if (some == share) {
      boolean asFast = fastNanos * count <= plainNanos * some;
      share = asFast ? 2 * some : Math.max(LEAST, some / 2);
    }
    if (share > MOST || tried.addAndGet(some) >= SURELY) {
      warm = true;
    }
  }
}
