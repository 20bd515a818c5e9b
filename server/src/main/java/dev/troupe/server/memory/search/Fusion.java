package dev.troupe.server.memory.search;

/**
 * How the legs of a search become one score. A leg with weight 0 is off, as is one that the query
 * gives nothing for.
 *
 * <p>The vector and the text leg each name their best {@code depth} items; these are the
 * candidates. Recency names none, but ranks the candidates, or all items when both other legs are
 * off: being new makes nothing relevant.
 *
 * <p>With {@link Method#RECIPROCAL_RANK} the score is the sum of {@code weight / (rankConstant +
 * rank)} over the legs that named the item, ranks from 1. With {@link Method#WEIGHTED} it is the
 * mean, by weight, of the legs' scores brought to [0, 1]: a cosine below 0 counts as 0, an inner
 * product is divided by the best candidate's, 1/(1+d²) and recency are as they are, and BM25 is
 * divided by the best candidate's. A candidate that a leg did not name is given its true score
 * there.
 *
 * <p>Either sum is then multiplied by {@code 1 - importanceWeight * (1 - importance)}.
 *
 * @param vectorWeight at least 0
 * @param textWeight at least 0
 * @param recencyWeight at least 0
 * @param importanceWeight in [0, 1]; at 1 an item of importance 0 scores 0
 * @param rankConstant at least 1; the smaller, the more the first ranks are worth
 * @param halfLifeMicros the age at which recency is one half; at least 1
 * @param depth how many items a leg names; the search takes at least its limit
 */
public record Fusion(
    Method method,
    double vectorWeight,
    double textWeight,
    double recencyWeight,
    double importanceWeight,
    int rankConstant,
    long halfLifeMicros,
    int depth) {

  /** How scores are added. */
  public enum Method {
    /** By rank, which needs no scores that can be compared. */
    RECIPROCAL_RANK,
    /** By score, brought to [0, 1]. */
    WEIGHTED
  }

  private static final long HOUR_MICROS = 3_600_000_000L;

  /** Vector and text alike, by rank; recency and importance off. */
  public static final Fusion DEFAULT =
      new Fusion(Method.RECIPROCAL_RANK, 1, 1, 0, 0, 60, HOUR_MICROS, 100);

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException if a number is out of its range
   */
  public Fusion {
    require(isWeight(vectorWeight) && isWeight(textWeight) && isWeight(recencyWeight), "weights");
    require(importanceWeight >= 0 && importanceWeight <= 1, "importanceWeight");
    require(rankConstant >= 1, "rankConstant");
    require(halfLifeMicros >= 1, "halfLifeMicros");
    require(depth >= 1, "depth");
  }

  private static boolean isWeight(double weight) {
    return weight >= 0 && weight <= 1e9;
  }

  private static void require(boolean holds, String what) {
    if (!holds) {
      throw new IllegalArgumentException("out of range: " + what);
    }
  }

  /** With other weights of the legs. */
  public Fusion withWeights(double vector, double text, double recency) {
    return new Fusion(
        method, vector, text, recency, importanceWeight, rankConstant, halfLifeMicros, depth);
  }

  /** With another weight of the importance. */
  public Fusion withImportanceWeight(double weight) {
    return new Fusion(
        method,
        vectorWeight,
        textWeight,
        recencyWeight,
        weight,
        rankConstant,
        halfLifeMicros,
        depth);
  }

  /** With another way of adding. */
  public Fusion withMethod(Method other) {
    return new Fusion(
        other,
        vectorWeight,
        textWeight,
        recencyWeight,
        importanceWeight,
        rankConstant,
        halfLifeMicros,
        depth);
  }

  /** With another half-life. */
  public Fusion withHalfLifeMicros(long micros) {
    return new Fusion(
        method,
        vectorWeight,
        textWeight,
        recencyWeight,
        importanceWeight,
        rankConstant,
        micros,
        depth);
  }

  /** In (0, 1]: one half at the half-life, and 1 for what is not yet in the past. */
  double recency(long updateMicros, long nowMicros) {
    double age = Math.max(0, (double) nowMicros - updateMicros);
    return Math.exp(-Math.log(2) * age / halfLifeMicros);
  }

  double importanceFactor(double importance) {
    return 1 - importanceWeight * (1 - importance);
  }
}
