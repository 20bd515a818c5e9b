package dev.troupe.server.memory.search;

/**
 * The inner loops of the scan: products of a query with vectors in int8. They are exact, so every
 * kernel computes the same. Neither side has a component beyond {@link Quantised#LARGEST}.
 */
interface VectorKernel {

  /** How the kernel is told of in figures and logs. */
  String name();

  /**
   * Multiplies the query with vectors that lie one behind the other.
   *
   * @param first which vector of the codes comes first
   * @param count how many to take; as many products are written
   * @param to where in {@code products} the first one is written
   */
  void multiply(short[] query, byte[] codes, int first, int count, int[] products, int to);

  /**
   * Multiplies the query with some vectors.
   *
   * @param which vectors of the codes, the first {@code count} of them
   */
  void multiply(short[] query, byte[] codes, int[] which, int count, int[] products);
}
