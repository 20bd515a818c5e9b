package dev.troupe.server.memory.search;

/** The loops for a JVM that runs without {@code jdk.incubator.vector}. */
final class PlainKernel implements VectorKernel {

  @Override
  public String name() {
    return "plain";
  }

  @Override
  public void multiply(float[] query, byte[] codes, int first, int count, float[] products) {
    for (int i = 0; i < count; i++) {
      products[i] = multiply(query, codes, (first + i) * query.length);
    }
  }

  @Override
  public void multiply(
      float[] query, byte[] codes, int[] which, int from, int count, float[] products) {
    for (int i = 0; i < count; i++) {
      products[i] = multiply(query, codes, which[from + i] * query.length);
    }
  }

  /** Sums that do not wait for each other keep the units of a processor busy. */
  private static float multiply(float[] query, byte[] codes, int at) {
    float s0 = 0;
    float s1 = 0;
    float s2 = 0;
    float s3 = 0;
    int i = 0;
    for (; i + 7 < query.length; i += 8) {
      s0 += query[i] * codes[at + i] + query[i + 4] * codes[at + i + 4];
      s1 += query[i + 1] * codes[at + i + 1] + query[i + 5] * codes[at + i + 5];
      s2 += query[i + 2] * codes[at + i + 2] + query[i + 6] * codes[at + i + 6];
      s3 += query[i + 3] * codes[at + i + 3] + query[i + 7] * codes[at + i + 7];
    }
    for (; i < query.length; i++) {
      s0 += query[i] * codes[at + i];
    }
    return (s0 + s1) + (s2 + s3);
  }
}
