package dev.troupe.server.memory.search;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.DocValues;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.NumericDocValues;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.BooleanClause;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.BoostQuery;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.Scorable;
import org.apache.lucene.search.ScoreMode;
import org.apache.lucene.search.SimpleCollector;
import org.apache.lucene.search.TermInSetQuery;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.util.BytesRef;
import org.jspecify.annotations.Nullable;

/** The words of one snapshot, to be closed by who reads it. */
final class TextView implements AutoCloseable {

  private final Snapshot snapshot;
  private final @Nullable DirectoryReader reader;

  /** Takes over one reference of the reader; null where no item has words. */
  TextView(Snapshot snapshot, @Nullable DirectoryReader reader) {
    this.snapshot = snapshot;
    this.reader = reader;
  }

  Snapshot snapshot() {
    return snapshot;
  }

  /** The items with the best BM25, best first. */
  List<TopSlots.Scored> best(
      Map<String, Integer> terms, FilterScan filter, long nowMicros, int limit) {
    TopSlots top = new TopSlots(snapshot, limit);
    search(
        anyOf(terms),
        new Visitor(nowMicros) {
          @Override
          void visit(int slot, float score) {
            if (filter.accepts(snapshot.item(slot))) {
              top.offer(slot, score);
            }
          }

          @Override
          double threshold() {
            return top.threshold();
          }
        });
    return top.ordered();
  }

  /** The BM25 of those of some slots in which a term occurs. */
  Map<Integer, Double> scores(Map<String, Integer> terms, List<Integer> slots, long nowMicros) {
    Map<Integer, Double> scores = new HashMap<>();
    BytesRef[] keys =
        slots.stream()
            .map(slot -> TextIndex.key(slot, snapshot.chunk(slot).bornAt(Snapshot.at(slot))))
            .toArray(BytesRef[]::new);
    Query among =
        new BooleanQuery.Builder()
            .add(anyOf(terms), BooleanClause.Occur.MUST)
            .add(new TermInSetQuery(TextIndex.KEY, Arrays.asList(keys)), BooleanClause.Occur.FILTER)
            .build();
    search(
        among,
        new Visitor(nowMicros) {
          @Override
          void visit(int slot, float score) {
            scores.put(slot, (double) score);
          }

          @Override
          double threshold() {
            return Double.NEGATIVE_INFINITY;
          }
        });
    return scores;
  }

  private void search(Query query, Visitor visitor) {
    DirectoryReader open = reader;
    if (open == null) {
      return;
    }
    IndexSearcher searcher = new IndexSearcher(open);
    // Every query is another one, and every refresh another reader: there is nothing to cache.
    searcher.setQueryCache(null);
    try {
      searcher.search(query, visitor);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Query anyOf(Map<String, Integer> terms) {
    BooleanQuery.Builder any = new BooleanQuery.Builder();
    terms.forEach(
        (term, times) -> {
          Query one = new TermQuery(new Term(TextIndex.TEXT, term));
          any.add(times == 1 ? one : new BoostQuery(one, times), BooleanClause.Occur.SHOULD);
        });
    return any.build();
  }

  /** Sees the documents whose version is alive in the snapshot. */
  private abstract class Visitor extends SimpleCollector {
    private final long nowMicros;
    private @Nullable NumericDocValues slots;
    private @Nullable NumericDocValues born;
    private @Nullable Scorable scorer;

    Visitor(long nowMicros) {
      this.nowMicros = nowMicros;
    }

    abstract void visit(int slot, float score);

    /** What a score has to reach to be of interest. */
    abstract double threshold();

    @Override
    public ScoreMode scoreMode() {
      return ScoreMode.TOP_SCORES;
    }

    @Override
    protected void doSetNextReader(LeafReaderContext context) throws IOException {
      slots = DocValues.getNumeric(context.reader(), TextIndex.SLOT);
      born = DocValues.getNumeric(context.reader(), TextIndex.BORN);
    }

    @Override
    public void setScorer(Scorable scorer) throws IOException {
      this.scorer = scorer;
      skipWorse(scorer);
    }

    @Override
    public void collect(int doc) throws IOException {
      Scorable from = scorer;
      if (from == null) {
        return;
      }
      float score = from.score();
      if (score >= threshold()) {
        int slot = (int) value(slots, doc);
        if (snapshot.isVisible(slot, nowMicros)
            && snapshot.chunk(slot).bornAt(Snapshot.at(slot)) == value(born, doc)) {
          visit(slot, score);
          skipWorse(from);
        }
      }
    }

    /** Lets Lucene pass over blocks of documents that cannot reach the threshold. */
    private void skipWorse(Scorable from) throws IOException {
      float least = (float) threshold();
      if (least > 0) {
        from.setMinCompetitiveScore(least);
      }
    }

    private static long value(@Nullable NumericDocValues values, int doc) throws IOException {
      return values != null && values.advanceExact(doc) ? values.longValue() : 0;
    }
  }

  @Override
  public void close() {
    try {
      if (reader != null) {
        reader.decRef();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
