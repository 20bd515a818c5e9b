package dev.troupe.server.memory.search;

/**
 * The inner loops of the scan: products of a query in float32 with vectors in int8. The order of
 * the additions is open, so results differ in the last bits between kernels; {@link Quantised}
 * allows for any order.
 */
interface VectorKernel {

  /** How the kernel is told of in figures and logs. */
  String name();

  /**
   * Multiplies the query with vectors that lie one behind the other.
   *
   * @param first which vector of the codes comes first
   * @param count how many to take; as many products are written, from the start of {@code products}
   */
  void multiply(float[] query, byte[] codes, int first, int count, float[] products);

  /**
   * Multiplies the query with some vectors.
   *
   * @param which vectors of the codes, the first {@code count} of them from {@code from} on
   */
  void multiply(float[] query, byte[] codes, int[] which, int from, int count, float[] products);
}
