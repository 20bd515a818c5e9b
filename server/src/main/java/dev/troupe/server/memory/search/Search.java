package dev.troupe.server.memory.search;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One search over one snapshot: asks the legs, and makes one order of their answers. */
final class Search {

  /** Finds the slots with the best keys. */
  interface VectorLeg {
    List<TopSlots.Scored> best(VectorQuery query, FilterScan filter, int limit);

    /** As {@link LegReport#method()} has it, of the search that was made last. */
    String method();
  }

  private final Snapshot snapshot;
  private final Metric metric;
  private final SearchQuery query;
  private final long nowMicros;
  private final FilterScan filter;
  private final Fusion fusion;
  private final int depth;
  private final Map<Integer, Candidate> candidates = new LinkedHashMap<>();
  private final List<LegReport> legs = new ArrayList<>();

  Search(Snapshot snapshot, Metric metric, SearchQuery query, long nowMicros) {
    this.snapshot = snapshot;
    this.metric = metric;
    this.query = query;
    this.nowMicros = nowMicros;
    fusion = query.fusion();
    filter = new FilterScan(query.filter());
    depth = Math.max(fusion.depth(), query.limit());
  }

  /**
   * What is found.
   *
   * @param vector the query's vector; null when that leg is off
   * @param terms the query's terms; empty when that leg is off
   */
  SearchResult run(
      @Nullable VectorQuery vector,
      VectorLeg vectors,
      Map<String, Integer> terms,
      @Nullable TextView words) {
    boolean both = vector != null && !terms.isEmpty();
    boolean recent = fusion.recencyWeight() > 0;
    // What decides alone need not be asked for more than is wanted.
    int wanted = both || recent || fusion.importanceWeight() > 0 ? depth : query.limit();
    double weights = recent ? fusion.recencyWeight() : 0;
    if (vector != null) {
      weights += fusion.vectorWeight();
      long begun = System.nanoTime();
      List<TopSlots.Scored> best = vectors.best(vector, filter, wanted);
      takeVectors(vector, best);
      report(LegReport.Leg.VECTOR, vectors.method(), best.size(), begun);
    }
    if (words != null && !terms.isEmpty()) {
      weights += fusion.textWeight();
      long begun = System.nanoTime();
      List<TopSlots.Scored> best = words.best(terms, filter, nowMicros, wanted);
      takeWords(best);
      report(LegReport.Leg.TEXT, "bm25", best.size(), begun);
    }
    if (vector == null && terms.isEmpty()) {
      RecencyScan.newest(snapshot, filter, nowMicros, wanted)
          .forEach(scored -> candidate(scored.slot()));
    }
    if (vector != null && words != null && !terms.isEmpty()) {
      completeWords(words, terms);
      completeVectors(vector);
    }
    if (recent) {
      long begun = System.nanoTime();
      rankByRecency();
      report(LegReport.Leg.RECENCY, "half-life", candidates.size(), begun);
    }
    Scale scale = new Scale(fusion, metric, candidates.values(), weights);
    return new SearchResult(
        snapshot.revision(), snapshot.size(), ordered(scale), List.copyOf(legs));
  }

  private void report(LegReport.Leg leg, String method, int candidates, long begun) {
    legs.add(new LegReport(leg, method, candidates, System.nanoTime() - begun));
  }

  private void takeVectors(VectorQuery vector, List<TopSlots.Scored> best) {
    for (int i = 0; i < best.size(); i++) {
      Candidate candidate = candidate(best.get(i).slot());
      candidate.similarity = vector.similarity(best.get(i).key());
      candidate.vectorRank = i + 1;
    }
  }

  private void takeWords(List<TopSlots.Scored> best) {
    for (int i = 0; i < best.size(); i++) {
      Candidate candidate = candidate(best.get(i).slot());
      candidate.words = best.get(i).key();
      candidate.textRank = i + 1;
    }
  }

  private void completeWords(TextView words, Map<String, Integer> terms) {
    List<Integer> missing =
        candidates.values().stream()
            .filter(candidate -> candidate.textRank == 0)
            .map(candidate -> candidate.slot)
            .toList();
    words.scores(terms, missing, nowMicros).forEach((slot, score) -> candidate(slot).words = score);
  }

  private void completeVectors(VectorQuery vector) {
    for (Candidate candidate : candidates.values()) {
      Chunk chunk = snapshot.chunk(candidate.slot);
      if (candidate.vectorRank == 0 && chunk.dimension > 0) {
        double key = vector.key(chunk, Snapshot.at(candidate.slot));
        candidate.similarity = vector.similarity(key);
      }
    }
  }

  private void rankByRecency() {
    List<Candidate> newestFirst =
        candidates.values().stream()
            .sorted(
                Comparator.comparingLong((Candidate candidate) -> candidate.item.updateMicros())
                    .reversed()
                    .thenComparing(candidate -> candidate.item.id()))
            .toList();
    for (int i = 0; i < newestFirst.size(); i++) {
      Candidate candidate = newestFirst.get(i);
      candidate.recency = fusion.recency(candidate.item.updateMicros(), nowMicros);
      candidate.recencyRank = i + 1;
    }
  }

  private Candidate candidate(int slot) {
    return candidates.computeIfAbsent(slot, any -> new Candidate(slot, snapshot.item(slot)));
  }

  private List<SearchHit> ordered(Scale scale) {
    Collection<Candidate> all = candidates.values();
    Comparator<SearchHit> order = Comparator.comparingDouble(SearchHit::score).reversed();
    if (query.vector().length == 0 && query.text().isEmpty() && fusion.recencyWeight() == 0) {
      // They come newest first and nothing else is asked for; the sort is stable.
      return all.stream()
          .map(candidate -> candidate.hit(fusion, scale, query.explain()))
          .limit(query.limit())
          .toList();
    }
    return all.stream()
        .map(candidate -> candidate.hit(fusion, scale, query.explain()))
        .sorted(order.thenComparing(SearchHit::id))
        .limit(query.limit())
        .toList();
  }
}
