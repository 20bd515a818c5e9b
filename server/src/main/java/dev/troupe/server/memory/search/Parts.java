package dev.troupe.server.memory.search;

/**
 * The dimensions of a vector in two parts, the first third and the others, whose codes are kept
 * apart. A scan reads the first part of all vectors, and the other one only of those that may still
 * be among the best: what it adds to a product is at most the lengths of both vectors there. That
 * is little where the first dimensions say most, as those of models that were trained to be cut
 * short (Matryoshka) do.
 */
final class Parts {

  private static final int FIRST_OF = 3;

  /** What the widest kernel takes at once. */
  private static final int LANES = 64;

  private Parts() {}

  /** Two, or one where the first is all. */
  static int count(int dimension) {
    return dimension == 0 ? 0 : first(dimension) < dimension ? 2 : 1;
  }

  /**
   * The first dimension of a part; of the part behind the last one, how many dimensions there are.
   */
  static int begin(int dimension, int part) {
    return part == 0 ? 0 : part == 1 ? Math.min(dimension, first(dimension)) : dimension;
  }

  private static int first(int dimension) {
    int third = (dimension - 1) / FIRST_OF + 1;
    return ((third - 1) / LANES + 1) * LANES;
  }
}
