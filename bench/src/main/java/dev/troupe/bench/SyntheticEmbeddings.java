package dev.troupe.bench;

import java.util.Random;

/**
 * Vectors that behave like embeddings of text: of length 1, in clusters of very different size,
 * with a direction that all share, and most of their variation in few of the dimensions. Seeded, so
 * that every run has the same ones.
 */
final class SyntheticEmbeddings {

  /** How much of a vector is what all have in common, its cluster, and its own. */
  private static final double COMMON = 0.6;

  private static final double CLUSTER = 0.6;
  private static final double OWN = 0.55;

  private final Random random;
  private final double[] spread;
  private final double[] common;
  private final double[][] clusters;

  SyntheticEmbeddings(long seed, int dimension, int clusters) {
    random = new Random(seed);
    spread = new double[dimension];
    for (int i = 0; i < dimension; i++) {
      spread[i] = 1 / Math.pow(1 + i, 0.35);
    }
    common = direction();
    this.clusters = new double[clusters][];
    for (int i = 0; i < clusters; i++) {
      this.clusters[i] = direction();
    }
  }

  /** The next one. */
  float[] next() {
    // Squared, so that some clusters are a hundred times as large as others.
    double place = random.nextDouble();
    double[] cluster = clusters[(int) (place * place * clusters.length)];
    double[] own = direction();
    double[] sum = new double[spread.length];
    for (int i = 0; i < sum.length; i++) {
      sum[i] = COMMON * common[i] + CLUSTER * cluster[i] + OWN * own[i];
    }
    return floats(sum);
  }

  private double[] direction() {
    double[] drawn = new double[spread.length];
    double squared = 0;
    for (int i = 0; i < drawn.length; i++) {
      drawn[i] = random.nextGaussian() * spread[i];
      squared += drawn[i] * drawn[i];
    }
    for (int i = 0; i < drawn.length; i++) {
      drawn[i] /= Math.sqrt(squared);
    }
    return drawn;
  }

  private static float[] floats(double[] sum) {
    double squared = 0;
    for (double one : sum) {
      squared += one * one;
    }
    float[] vector = new float[sum.length];
    for (int i = 0; i < sum.length; i++) {
      vector[i] = (float) (sum[i] / Math.sqrt(squared));
    }
    return vector;
  }
}
