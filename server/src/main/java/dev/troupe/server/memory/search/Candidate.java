package dev.troupe.server.memory.search;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** An item on its way to being a hit: what each leg said so far. */
final class Candidate {

  final int slot;
  final StoredItem item;

  /** Not a number where the leg has nothing to say; ranks are 0 where it did not name the item. */
  double similarity = Double.NaN;

  int vectorRank;
  double words = Double.NaN;
  int textRank;
  double recency = Double.NaN;
  int recencyRank;

  Candidate(int slot, StoredItem item) {
    this.slot = slot;
    this.item = item;
  }

  /** The hit, its parts being worth what the scale says. */
  SearchHit hit(Fusion fusion, Scale scale, boolean explain) {
    LegPart vector = part(similarity, vectorRank, scale.vector(similarity, vectorRank));
    LegPart text = part(words, textRank, scale.text(words, textRank));
    LegPart newness = part(recency, recencyRank, scale.recency(recency, recencyRank));
    double sum = contribution(vector) + contribution(text) + contribution(newness);
    double factor = fusion.importanceFactor(item.importance());
    double score = sum * factor;
    return new SearchHit(
        item.id(),
        score,
        vector,
        text,
        newness,
        item.importance(),
        factor,
        explain ? explanation(score, vector, text, newness, factor) : "");
  }

  private static @Nullable LegPart part(double score, int rank, double contribution) {
    return Double.isNaN(score) ? null : new LegPart(score, rank, contribution);
  }

  private static double contribution(@Nullable LegPart part) {
    return part == null ? 0 : part.contribution();
  }

  private String explanation(
      double score,
      @Nullable LegPart vector,
      @Nullable LegPart text,
      @Nullable LegPart newness,
      double factor) {
    List<String> parts = new ArrayList<>();
    explain(parts, "vector", "similarity", vector);
    explain(parts, "text", "BM25", text);
    explain(parts, "recency", "recency", newness);
    return String.format(
        Locale.ROOT,
        "%.6f = (%s) * %.4f for importance %.2f",
        score,
        parts.isEmpty() ? "0" : String.join(" + ", parts),
        factor,
        item.importance());
  }

  private static void explain(
      List<String> parts, String leg, String measure, @Nullable LegPart part) {
    if (part != null) {
      parts.add(
          String.format(
              Locale.ROOT,
              "%s %.6f [%s %.4f, %s]",
              leg,
              part.contribution(),
              measure,
              part.score(),
              part.rank() == 0 ? "not named" : "rank " + part.rank()));
    }
  }
}
