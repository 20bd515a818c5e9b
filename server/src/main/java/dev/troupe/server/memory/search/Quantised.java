package dev.troupe.server.memory.search;

/**
 * How a vector v becomes int8, and how far a product with it can be off.
 *
 * <p>The codes q are v / s, rounded, for a scale s; the error vector is {@code e = v - s q}, whose
 * length is known. The direction u of a query, of length 1, becomes integers p with a step t and an
 * error vector {@code f = u - t p}, see {@link QueryCodes}. Then {@code <u,v> = s t <p,q> + <f, s
 * q> + <u,e>}, where {@code <p,q>} is exact, and by Cauchy and Schwarz the rest is at most {@code
 * |f| (|v| + |e|) + |e|}. So the bound holds for every vector and query. It holds for their first
 * dimensions too, whose errors are no longer than those of the whole; what the others add is at
 * most {@code |u'| |v'|}, the lengths of what is left of both. Where it is useless, as with numbers
 * near the largest float, it is infinite and the vector is looked at exactly.
 *
 * @param scale s
 * @param error {@code |e|}, at most
 * @param reach {@code |v| + |e|}, at most
 * @param squared {@code <v,v>}
 */
record Quantised(float scale, double error, double reach, double squared) {

  /** The largest code, and with a minus the least. */
  static final int LARGEST = 127;

  /** More than float32 rounds a scale and double arithmetic all the rest. */
  static final double ROUNDING = 0x1p-20;

  /** The codes are written to {@code codes}. */
  static Quantised into(float[] vector, byte[] codes) {
    float largest = 0;
    for (float component : vector) {
      largest = Math.max(largest, Math.abs(component));
    }
    float scale = largest / LARGEST;
    float perUnit = LARGEST / largest;
    double wrong = 0;
    double squared = 0;
    for (int i = 0; i < vector.length; i++) {
      // Any code is right, as the error is that of the code which was taken; of the zero vector,
      // and of those too small to be divided, all are 0 or the largest.
      float exact = vector[i] * perUnit;
      int code = (int) (exact + Math.copySign(0.5f, exact));
      code = Math.max(-LARGEST, Math.min(LARGEST, code));
      codes[i] = (byte) code;
      double error = vector[i] - (double) scale * code;
      wrong += error * error;
      squared += (double) vector[i] * vector[i];
    }
    double off = Math.sqrt(wrong);
    double length = Math.sqrt(squared);
    // float32 rounds the scale, which moves the whole code vector by that part of its length.
    double error = (1 + ROUNDING) * off + ROUNDING * (length + off);
    return new Quantised(scale, error, (1 + ROUNDING) * (length + off), squared);
  }
}
