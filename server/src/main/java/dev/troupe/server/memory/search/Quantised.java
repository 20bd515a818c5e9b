package dev.troupe.server.memory.search;

/**
 * How a vector v becomes int8, and how far a product with it can be off.
 *
 * <p>The codes q are v / s, rounded, for a scale s; the error vector is e = v - s q, whose length
 * is known exactly. For a query direction u of length 1 the true product is {@code <u,v> = s <u,q>
 * + <u,e>}, and by Cauchy and Schwarz {@code |<u,e>| <= |e|}. To that comes the rounding of {@code
 * <u,q>} in float32, at most n 2^-24 |s q| for n components added in any order, and of u and s
 * themselves. So the bound holds for every vector and query; where it is useless, as with numbers
 * near the largest float, it is infinite and the vector is looked at exactly.
 *
 * @param scale s
 * @param error the bound of the difference between {@code <u,v>} and {@code s <u,q>}
 * @param squared {@code <v,v>}
 */
record Quantised(float scale, double error, double squared) {

  private static final int LARGEST = 127;

  /** The codes are written to {@code codes}, from {@code at} on. */
  static Quantised into(float[] vector, byte[] codes, int at) {
    float largest = 0;
    for (float component : vector) {
      largest = Math.max(largest, Math.abs(component));
    }
    float scale = largest / LARGEST;
    double wrong = 0;
    double squared = 0;
    for (int i = 0; i < vector.length; i++) {
      // A scale too small for a float is 0, and the whole vector its error.
      long code = scale == 0 ? 0 : Math.round((double) vector[i] / scale);
      code = Math.max(-LARGEST, Math.min(LARGEST, code));
      codes[at + i] = (byte) code;
      double error = vector[i] - (double) scale * code;
      wrong += error * error;
      squared += (double) vector[i] * vector[i];
    }
    double errorLength = Math.sqrt(wrong);
    double rounding = roundings(vector.length) * (Math.sqrt(squared) + errorLength);
    return new Quantised(scale, 1.001 * errorLength + rounding, squared);
  }

  /** A tenth more than the theory of float32 asks for, and something for the factors. */
  private static double roundings(int components) {
    double unit = 0x1p-24;
    return 1.1 * components * unit + 8 * unit;
  }

  /** The direction of a vector, rounded to float32; the zero vector stays. */
  static float[] direction(float[] vector, double length) {
    float[] direction = new float[vector.length];
    for (int i = 0; length > 0 && i < vector.length; i++) {
      direction[i] = (float) (vector[i] / length);
    }
    return direction;
  }
}
