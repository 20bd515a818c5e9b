package dev.troupe.server.memory.search;

/**
 * A vector to look for, and the keys that slots are ordered by: the cosine, the inner product, or
 * the squared distance with a minus.
 */
final class VectorQuery {

  /** More than what the few double operations of a key can be off. */
  private static final double DOUBLE_ROUNDING = 1e-12;

  /** For the kernels. */
  final short[] codes;

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
    squared = Vectors.dot(this.vector, this.vector, 0);
    length = Math.sqrt(squared);
    QueryCodes rounded = QueryCodes.of(this.vector, length);
    codes = rounded.codes();
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
   * Writes down which of some vectors of a chunk may have a key of at least a threshold, by their
   * offset from the first.
   *
   * @return how many
   */
  int select(Chunk chunk, int first, int count, int[] products, double threshold, int[] selected) {
    float[] scales = chunk.scales;
    float[] errors = chunk.errors;
    float[] reaches = chunk.reaches;
    double scaled = factor * step;
    double off = factor * error;
    int kept = 0;
    for (int i = 0; i < count; i++) {
      double bound =
          scaled * scales[first + i] * products[i]
              + factor * errors[first + i]
              + off * reaches[first + i];
      if (distances > 0) {
        bound -= distances * (chunk.squared[first + i] + squared);
      }
      selected[kept] = i;
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
