package dev.troupe.bench;

import dev.troupe.server.memory.search.Fusion;
import dev.troupe.server.memory.search.IndexItem;
import dev.troupe.server.memory.search.IndexSettings;
import dev.troupe.server.memory.search.Metric;
import dev.troupe.server.memory.search.SearchFilter;
import dev.troupe.server.memory.search.SearchHit;
import dev.troupe.server.memory.search.SearchQuery;
import dev.troupe.server.memory.search.SpaceIndex;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** How well the answers of {@link RetrievalCorpus} are found by each leg and by several. */
final class MemoryRetrieval {

  private static final int FACTS = 1500;
  private static final int LIMIT = 10;
  private static final long START = 1_800_000_000_000_000L;
  private static final long MINUTE = 60_000_000L;

  private MemoryRetrieval() {}

  /** Prints a table: the same on every run and machine, up to rounding. */
  static void measure() {
    RetrievalCorpus corpus = new RetrievalCorpus(3, FACTS);
    StandInEmbedding embedding = new StandInEmbedding(RetrievalCorpus.synonyms());
    SpaceIndex index =
        new SpaceIndex(IndexSettings.of(StandInEmbedding.DIMENSION, Metric.COSINE), Runnable::run);
    long revision = 0;
    for (RetrievalCorpus.Note note : corpus.notes()) {
      long then = START + note.minute() * MINUTE;
      index.upsert(
          new IndexItem(
              note.id(),
              note.text(),
              embedding.of(note.text()),
              Set.of(),
              "long",
              "",
              0.5,
              then,
              then,
              IndexItem.NEVER,
              Map.of()),
          ++revision);
    }
    long now = START + corpus.notes().size() * MINUTE;
    long halfLife = corpus.notes().size() * MINUTE / 2;
    Fusion base = Fusion.DEFAULT.withHalfLifeMicros(halfLife);
    Map<String, Fusion> ways = new LinkedHashMap<>();
    ways.put("text", base.withWeights(0, 1, 0));
    ways.put("vector", base.withWeights(1, 0, 0));
    ways.put("text and vector by rank", base.withWeights(1, 1, 0));
    ways.put("text, vector and a little recency by rank", base.withWeights(1, 1, 0.1));
    Fusion weighted = base.withMethod(Fusion.Method.WEIGHTED);
    ways.put("text and vector by score", weighted.withWeights(1, 1, 0));
    ways.put("text, vector and a little recency by score", weighted.withWeights(1, 1, 0.1));
    System.out.printf(
        "%d notes, %d questions; embeddings by a stand-in, not a model%n%n",
        corpus.notes().size(), corpus.questions().size());
    System.out.println("| by | recall at 1 | recall at 10 | MRR |");
    System.out.println("|---|---|---|---|");
    ways.forEach((name, fusion) -> print(name, fusion, corpus, embedding, index, now));
    index.close();
  }

  private static void print(
      String name,
      Fusion fusion,
      RetrievalCorpus corpus,
      StandInEmbedding embedding,
      SpaceIndex index,
      long now) {
    int first = 0;
    int found = 0;
    double reciprocals = 0;
    for (RetrievalCorpus.Question question : corpus.questions()) {
      List<String> hits =
          index
              .search(
                  new SearchQuery(
                      embedding.of(question.text()),
                      question.text(),
                      SearchFilter.ALL,
                      fusion,
                      LIMIT,
                      false),
                  now)
              .hits()
              .stream()
              .map(SearchHit::id)
              .toList();
      int at = hits.indexOf(question.answer());
      first += at == 0 ? 1 : 0;
      found += at >= 0 ? 1 : 0;
      reciprocals += at >= 0 ? 1.0 / (at + 1) : 0;
    }
    double questions = corpus.questions().size();
    System.out.printf(
        Locale.ROOT,
        "| %s | %.3f | %.3f | %.3f |%n",
        name,
        first / questions,
        found / questions,
        reciprocals / questions);
  }
}
