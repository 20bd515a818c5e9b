package dev.troupe.server.memory.search;

import static java.util.Objects.requireNonNull;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/** Finds the nearest vectors by looking at each, in plain double arithmetic. */
final class Oracle {

  private final Metric metric;

  Oracle(Metric metric) {
    this.metric = metric;
  }

  /** The ids of the best, best first, ties by id. */
  List<String> nearest(
      Map<String, float[]> vectors, float[] query, int limit, Predicate<String> among) {
    return vectors.keySet().stream()
        .filter(among)
        .sorted(
            Comparator.comparingDouble(
                    (String id) -> -similarity(query, requireNonNull(vectors.get(id))))
                .thenComparing(Comparator.naturalOrder()))
        .limit(limit)
        .toList();
  }

  double similarity(float[] a, float[] b) {
    double product = 0;
    double aa = 0;
    double bb = 0;
    double apart = 0;
    for (int i = 0; i < a.length; i++) {
      product += (double) a[i] * b[i];
      aa += (double) a[i] * a[i];
      bb += (double) b[i] * b[i];
      apart += ((double) a[i] - b[i]) * ((double) a[i] - b[i]);
    }
    return switch (metric) {
      case COSINE -> aa * bb == 0 ? 0 : product / (Math.sqrt(aa) * Math.sqrt(bb));
      case DOT -> product;
      case L2 -> 1 / (1 + apart);
    };
  }
}
