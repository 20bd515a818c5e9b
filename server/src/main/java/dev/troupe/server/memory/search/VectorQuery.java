package dev.troupe.server.memory.search;

import java.util.Arrays;

/**
 * A vector to look for, and the keys that slots are ordered by: the cosine, the inner product, or
 * the squared distance with a minus.
 */
final class VectorQuery {

  /** More than what the few double operations of a key can be off. */
  private static final double DOUBLE_ROUNDING = 1e-12;

  /** For the kernels. */
  final short[] codes;

  /** The same by {@link Parts}. */
  final short[][] parts;

  /** How long the direction is behind its first part, at most. */
  private final double rest;

  private final Metric metric;
  private final float[] vector;
  private final double squared;
  private final double length;
  private final double step;
  private final double error;
  private final double factor;
  private final double distances;

  VectorQuery(Metric metric, float[] vector) {
    this.metric = metric;
    this.vector = vector.clone();
    squared = Vectors.squared(this.vector, 0, this.vector.length);
    length = Math.sqrt(squared);
    QueryCodes rounded = QueryCodes.of(this.vector, length);
    codes = rounded.codes();
    parts = new short[Parts.count(codes.length)][];
    for (int part = 0; part < parts.length; part++) {
      int begin = Parts.begin(codes.length, part);
      parts[part] = Arrays.copyOfRange(codes, begin, Parts.begin(codes.length, part + 1));
    }
    double behind = Vectors.squared(this.vector, Parts.begin(codes.length, 1), codes.length);
    rest = behind == 0 ? 0 : (1 + Quantised.ROUNDING) * Math.sqrt(behind) / length;
    step = rounded.step();
    error = rounded.error();
    factor =
        switch (metric) {
          case COSINE -> 1;
          case DOT -> length;
          case L2 -> 2 * length;
        };
    distances = metric == Metric.L2 ? 1 - DOUBLE_ROUNDING : 0;
  }

  /**
   * What a product, times the scale of its vector, has to be multiplied with to compare to keys.
   */
  double productFactor() {
    return factor * step;
  }

  /**
   * What the key of a vector cannot exceed; not a number where that is not known.
   *
   * @param product of {@link #codes} and those of the vector
   */
  double bound(Chunk chunk, int at, int product) {
    return factor
            * (step * chunk.scales[at] * product + chunk.errors[at] + error * chunk.reaches[at])
        - distances * (chunk.squared[at] + squared);
  }

  /**
   * What the first parts of vectors, one behind the other, say of their keys, to compare with each
   * other and with {@link #cut}.
   *
   * @param products of the first of {@link #parts}
   * @param to where the first one's product is, and its guess is written
   */
  void guess(Chunk chunk, int first, int count, int[] products, float[] guesses, int to) {
    float[] scales = chunk.scales;
    float[] rests = chunk.rests;
    double scaled = factor * step;
    double unread = factor * rest;
    for (int i = 0; i < count; i++) {
      int at = first + i;
      double guess = scaled * scales[at] * products[to + i] + unread * rests[at];
      guesses[to + i] = (float) (distances > 0 ? guess - distances * chunk.squared[at] : guess);
    }
  }

  /**
   * Vectors of a chunk that are guessed to be less have keys below a threshold; not a number where
   * that is not known. It is {@link #select} with the worst errors of the whole chunk, and as
   * rounding keeps the order, float32 will do.
   */
  float cut(Chunk chunk, double threshold) {
    double unknown = factor * (chunk.mostError + error * chunk.mostReach);
    // Sums of doubles in another order differ by less than this.
    double rounding = DOUBLE_ROUNDING * (Math.abs(threshold) + unknown + distances * squared);
    return (float) (threshold - unknown + distances * squared - rounding);
  }

  /**
   * Keeps those of some vectors of a chunk that may have a key of at least a threshold.
   *
   * @param which the vectors; those that are kept come first afterwards
   * @param products of the vectors, in the same order before and after
   * @param whole whether they are of all parts, or of the first
   * @return how many are kept
   */
  int select(Chunk chunk, int[] which, int count, int[] products, boolean whole, double threshold) {
    float[] scales = chunk.scales;
    float[] errors = chunk.errors;
    float[] reaches = chunk.reaches;
    float[] rests = chunk.rests;
    double scaled = factor * step;
    double off = factor * error;
    double unread = whole ? 0 : factor * rest;
    int kept = 0;
    for (int i = 0; i < count; i++) {
      int at = which[i];
      double bound =
          scaled * scales[at] * products[i]
              + factor * errors[at]
              + off * reaches[at]
              + unread * rests[at];
      if (distances > 0) {
        bound -= distances * (chunk.squared[at] + squared);
      }
      which[kept] = at;
      products[kept] = products[i];
      // The other way round, what is not a number would be left out.
      kept += bound < threshold ? 0 : 1;
    }
    return kept;
  }

  /** The key itself. */
  double key(Chunk chunk, int at) {
    int from = at * chunk.dimension;
    double key =
        switch (metric) {
          case COSINE -> cosine(Vectors.dot(vector, chunk.vectors, from), chunk.squared[at]);
          case DOT -> Vectors.dot(vector, chunk.vectors, from);
          case L2 -> -Vectors.squaredDistance(vector, chunk.vectors, from);
        };
    // There shall be one zero only, or ties would not be ties.
    return key + 0.0;
  }

  private double cosine(double product, double otherSquared) {
    double lengths = length * Math.sqrt(otherSquared);
    return lengths == 0 ? 0 : product / lengths;
  }

  /** A key as callers know it. */
  double similarity(double key) {
    return switch (metric) {
      case COSINE -> Math.max(-1, Math.min(1, key));
      case DOT -> key;
      case L2 -> 1 / (1 - key);
    };
  }
}
