package dev.troupe.server.memory.search;

/**
 * The direction of a query in integers, as fine as the sum of its products with int8 codes fits
 * into 32 bits.
 *
 * @param codes p
 * @param step t, so that the direction is nearly {@code t p}
 */
record QueryCodes(int[] codes, double step) {

  /**
   * Rounds a direction.
   *
   * @param length of the vector; 0 for the zero vector, which has no direction
   */
  static QueryCodes of(float[] vector, double length) {
    int finest = finest(vector.length);
    double largest = 0;
    for (float component : vector) {
      largest = Math.max(largest, Math.abs(component));
    }
    int[] codes = new int[vector.length];
    for (int i = 0; largest > 0 && i < codes.length; i++) {
      codes[i] = (int) Math.rint(vector[i] / largest * finest);
    }
    return new QueryCodes(codes, largest > 0 ? largest / length / finest : 0);
  }

  /** What the length of the error of a direction of so many components cannot exceed. */
  static double largestError(int components) {
    // Half a step each, and a direction has no component above 1.
    return Math.sqrt(components) / 2 / finest(components);
  }

  private static int finest(int components) {
    return Integer.MAX_VALUE / (Quantised.LARGEST * components);
  }
}
