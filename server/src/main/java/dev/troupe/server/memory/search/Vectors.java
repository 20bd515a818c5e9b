package dev.troupe.server.memory.search;

import java.nio.FloatBuffer;

/** The exact arithmetic of vectors, in double precision and in one order on every machine. */
final class Vectors {

  private Vectors() {}

  /**
   * Refuses what has no place in an order.
   *
   * @throws IllegalArgumentException if a component is infinite or no number
   */
  static void requireFinite(float[] vector) {
    for (int i = 0; i < vector.length; i++) {
      if (!Float.isFinite(vector[i])) {
        throw new IllegalArgumentException("embedding: component " + i + " is not finite");
      }
    }
  }

  static double dot(float[] a, FloatBuffer b, int from) {
    double s0 = 0;
    double s1 = 0;
    double s2 = 0;
    double s3 = 0;
    int i = 0;
    for (; i + 3 < a.length; i += 4) {
      s0 += (double) a[i] * b.get(from + i);
      s1 += (double) a[i + 1] * b.get(from + i + 1);
      s2 += (double) a[i + 2] * b.get(from + i + 2);
      s3 += (double) a[i + 3] * b.get(from + i + 3);
    }
    for (; i < a.length; i++) {
      s0 += (double) a[i] * b.get(from + i);
    }
    return (s0 + s1) + (s2 + s3);
  }

  /** The squared length of some dimensions of a vector. */
  static double squared(float[] a, int begin, int end) {
    double sum = 0;
    for (int i = begin; i < end; i++) {
      sum += (double) a[i] * a[i];
    }
    return sum;
  }

  static double squaredDistance(float[] a, FloatBuffer b, int from) {
    double s0 = 0;
    double s1 = 0;
    int i = 0;
    for (; i + 1 < a.length; i += 2) {
      double d0 = (double) a[i] - b.get(from + i);
      double d1 = (double) a[i + 1] - b.get(from + i + 1);
      s0 += d0 * d0;
      s1 += d1 * d1;
    }
    if (i < a.length) {
      double d0 = (double) a[i] - b.get(from + i);
      s0 += d0 * d0;
    }
    return s0 + s1;
  }
}
