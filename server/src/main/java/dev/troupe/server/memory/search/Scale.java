package dev.troupe.server.memory.search;

import java.util.Collection;
import java.util.function.ToDoubleFunction;

/** What the scores and ranks of the legs are worth in one search; see {@link Fusion}. */
final class Scale {

  private final Fusion fusion;
  private final Metric metric;
  private final double bestProduct;
  private final double bestWords;
  private final double weights;

  /**
   * Takes the best scores of the candidates as measure.
   *
   * @param candidates with their scores
   */
  Scale(Fusion fusion, Metric metric, Collection<Candidate> candidates, double weights) {
    this.fusion = fusion;
    this.metric = metric;
    this.weights = weights;
    bestProduct = best(candidates, candidate -> candidate.similarity);
    bestWords = best(candidates, candidate -> candidate.words);
  }

  private static double best(Collection<Candidate> candidates, ToDoubleFunction<Candidate> score) {
    return candidates.stream().mapToDouble(score).filter(one -> !Double.isNaN(one)).max().orElse(0);
  }

  double vector(double similarity, int rank) {
    double share =
        switch (metric) {
          case COSINE -> Math.max(0, similarity);
          case DOT -> bestProduct > 0 ? Math.max(0, similarity / bestProduct) : 0;
          case L2 -> similarity;
        };
    return worth(fusion.vectorWeight(), share, rank);
  }

  double text(double words, int rank) {
    return worth(fusion.textWeight(), bestWords > 0 ? words / bestWords : 0, rank);
  }

  double recency(double recency, int rank) {
    return worth(fusion.recencyWeight(), recency, rank);
  }

  private double worth(double weight, double share, int rank) {
    return switch (fusion.method()) {
      case RECIPROCAL_RANK -> rank == 0 ? 0 : weight / (fusion.rankConstant() + rank);
      case WEIGHTED -> weights > 0 ? weight * share / weights : 0;
    };
  }
}
