package dev.troupe.server.memory.search;

/**
 * A vector to look for, and the keys that slots are ordered by: the cosine, the inner product, or
 * the squared distance with a minus.
 */
final class VectorQuery {

  /** More than what the few double operations of a key can be off. */
  private static final double DOUBLE_ROUNDING = 1e-12;

  /** Of length 1, for the kernels. */
  final float[] direction;

  private final Metric metric;
  private final float[] vector;
  private final double squared;
  private final double length;
  private final double factor;
  private final double distances;

  VectorQuery(Metric metric, float[] vector) {
    this.metric = metric;
    this.vector = vector.clone();
    squared = Vectors.dot(this.vector, this.vector, 0);
    length = Math.sqrt(squared);
    direction = Quantised.direction(this.vector, length);
    factor =
        switch (metric) {
          case COSINE -> 1;
          case DOT -> length;
          case L2 -> 2 * length;
        };
    distances = metric == Metric.L2 ? 1 - DOUBLE_ROUNDING : 0;
  }

  /**
   * What the key of a vector cannot exceed; not a number where that is not known.
   *
   * @param product of {@link #direction} and the codes, as a kernel computed it
   */
  double bound(Chunk chunk, int at, float product) {
    return factor * ((double) chunk.scales[at] * product + chunk.errors[at])
        - distances * (chunk.squared[at] + squared);
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
