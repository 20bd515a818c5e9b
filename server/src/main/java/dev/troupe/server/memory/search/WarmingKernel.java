package dev.troupe.server.memory.search;

/**
 * A kernel that is fast only when the JVM has compiled it well, and takes some hundred times as
 * long before: its share of each block grows while it is no slower than the plain loops, which do
 * the rest, until it does all. So the first search of a process is not held up. Thread-safe.
 */
final class WarmingKernel implements VectorKernel {

  /** Enough to be compiled at some time, and little enough not to be noticed until then. */
  private static final int LEAST = 4;

  private static final int ALL = 256;

  private final VectorKernel plain = new PlainKernel();
  private final VectorKernel fast;

  /** How many vectors of a block the fast kernel takes. Threads may overwrite each other's. */
  private volatile int share = LEAST;

  WarmingKernel(VectorKernel fast) {
    this.fast = fast;
  }

  @Override
  public String name() {
    return fast.name();
  }

  boolean isWarm() {
    return share >= ALL;
  }

  @Override
  public void multiply(short[] query, byte[] codes, int first, int count, int[] products, int to) {
    int some = share;
    if (some >= ALL) {
      fast.multiply(query, codes, first, count, products, to);
      return;
    }
    if (some >= count) {
      // Too few to compare; the next larger block will tell.
      plain.multiply(query, codes, first, count, products, to);
      return;
    }
    long begun = System.nanoTime();
    fast.multiply(query, codes, first, some, products, to);
    long between = System.nanoTime();
    plain.multiply(query, codes, first + some, count - some, products, to + some);
    compare(some, between - begun, count - some, System.nanoTime() - between);
  }

  private void compare(int some, long fastNanos, int others, long plainNanos) {
    boolean asFast = fastNanos * others <= plainNanos * some;
    share = asFast ? 2 * some : Math.max(LEAST, some / 2);
  }

  @Override
  public void multiply(short[] query, byte[] codes, int[] which, int count, int[] products) {
    (isWarm() ? fast : plain).multiply(query, codes, which, count, products);
  }
}
