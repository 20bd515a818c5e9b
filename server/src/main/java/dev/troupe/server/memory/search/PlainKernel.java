package dev.troupe.server.memory.search;

/** The loops for a JVM that runs without {@code jdk.incubator.vector}. */
final class PlainKernel implements VectorKernel {

  @Override
  public String name() {
    return "plain";
  }

  @Override
  public void multiply(short[] query, byte[] codes, int first, int count, int[] products, int to) {
    for (int i = 0; i < count; i++) {
      products[to + i] = multiply(query, codes, (first + i) * query.length);
    }
  }

  @Override
  public void multiply(short[] query, byte[] codes, int[] which, int count, int[] products) {
    for (int i = 0; i < count; i++) {
      products[i] = multiply(query, codes, which[i] * query.length);
    }
  }

  /** Sums that do not wait for each other keep the units of a processor busy. */
  private static int multiply(short[] query, byte[] codes, int at) {
    int s0 = 0;
    int s1 = 0;
    int s2 = 0;
    int s3 = 0;
    int i = 0;
    for (; i + 3 < query.length; i += 4) {
      s0 += query[i] * codes[at + i];
      s1 += query[i + 1] * codes[at + i + 1];
      s2 += query[i + 2] * codes[at + i + 2];
      s3 += query[i + 3] * codes[at + i + 3];
    }
    for (; i < query.length; i++) {
      s0 += query[i] * codes[at + i];
    }
    return s0 + s1 + s2 + s3;
  }
}
