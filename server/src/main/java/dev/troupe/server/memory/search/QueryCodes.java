package dev.troupe.server.memory.search;

/**
 * The direction of a query in integers as coarse as the codes of the vectors, so that products are
 * added two at a time in 16 bits.
 *
 * @param codes p
 * @param step t, so that the direction is nearly {@code t p}
 * @param error the length of what the direction and {@code t p} differ by, at most
 */
record QueryCodes(short[] codes, double step, double error) {

  /**
   * Rounds a direction.
   *
   * @param length of the vector; 0 for the zero vector, which has no direction
   */
  static QueryCodes of(float[] vector, double length) {
    double largest = 0;
    for (float component : vector) {
      largest = Math.max(largest, Math.abs(component));
    }
    short[] codes = new short[vector.length];
    if (largest == 0) {
      return new QueryCodes(codes, 0, 0);
    }
    double step = largest / length / Quantised.LARGEST;
    double wrong = 0;
    for (int i = 0; i < codes.length; i++) {
      codes[i] = (short) Math.rint(vector[i] / largest * Quantised.LARGEST);
      double error = vector[i] / length - step * codes[i];
      wrong += error * error;
    }
    return new QueryCodes(codes, step, (1 + Quantised.ROUNDING) * Math.sqrt(wrong));
  }
}
