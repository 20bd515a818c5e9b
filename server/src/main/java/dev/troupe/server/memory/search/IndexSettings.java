package dev.troupe.server.memory.search;

/**
 * What a space's index is made for.
 *
 * @param dimension of its embeddings, 1 to 4,096; 0 lets the first one decide
 * @param metric that its embeddings are compared by
 * @param language how text becomes terms
 * @param approximateAbove the number of embeddings from which on a graph is searched in place of
 *     all of them; {@link Integer#MAX_VALUE} for never
 */
public record IndexSettings(int dimension, Metric metric, Language language, int approximateAbove) {

  /** The largest dimension. */
  public static final int MAX_DIMENSION = 4096;

  /** Exact up to 250,000 embeddings. */
  public static final int DEFAULT_APPROXIMATE_ABOVE = 250_000;

  /** How text becomes terms. */
  public enum Language {
    /** Words by Unicode's rules, in lower case, without accents. */
    ANY,
    /** The same, with English endings and the most frequent English words taken off. */
    ENGLISH
  }

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException if a number is out of its range
   */
  public IndexSettings {
    if (dimension < 0 || dimension > MAX_DIMENSION) {
      throw new IllegalArgumentException("dimension: " + dimension + " (expected: 0 to 4096)");
    }
    if (approximateAbove < 0) {
      throw new IllegalArgumentException("approximateAbove: " + approximateAbove);
    }
  }

  /** With the defaults. */
  public static IndexSettings of(int dimension, Metric metric) {
    return new IndexSettings(dimension, metric, Language.ANY, DEFAULT_APPROXIMATE_ABOVE);
  }
}
