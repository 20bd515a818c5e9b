package dev.troupe.server.memory.search;

/**
 * What to look for. With neither vector nor text the newest items are found.
 *
 * @param vector of the space's dimension, finite; empty for none
 * @param text words of which any may occur, never a query language; empty for none
 * @param limit how many hits at most, 1 to 10,000
 * @param explain whether each hit tells in words how its score came about
 */
public record SearchQuery(
    float[] vector, String text, SearchFilter filter, Fusion fusion, int limit, boolean explain) {

  private static final float[] NONE = {};

  /** The largest limit. */
  public static final int MAX_LIMIT = 10_000;

  /**
   * Checks what would spoil the order of hits.
   *
   * @throws IllegalArgumentException if a number is not finite or the limit out of its range
   */
  public SearchQuery {
    if (limit < 1 || limit > MAX_LIMIT) {
      throw new IllegalArgumentException("limit: " + limit + " (expected: 1 to " + MAX_LIMIT + ")");
    }
    Vectors.requireFinite(vector);
  }

  /** By vector alone. */
  public static SearchQuery byVector(float[] vector, int limit) {
    return new SearchQuery(vector, "", SearchFilter.ALL, Fusion.DEFAULT, limit, false);
  }

  /** By text alone. */
  public static SearchQuery byText(String text, int limit) {
    return new SearchQuery(NONE, text, SearchFilter.ALL, Fusion.DEFAULT, limit, false);
  }

  /** With another filter. */
  public SearchQuery withFilter(SearchFilter other) {
    return new SearchQuery(vector, text, other, fusion, limit, explain);
  }

  /** With other weights. */
  public SearchQuery withFusion(Fusion other) {
    return new SearchQuery(vector, text, filter, other, limit, explain);
  }
}
