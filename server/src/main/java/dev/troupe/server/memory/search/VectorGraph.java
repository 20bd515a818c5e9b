package dev.troupe.server.memory.search;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.function.BooleanSupplier;
import org.apache.lucene.search.KnnCollector;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.util.Bits;
import org.apache.lucene.util.hnsw.HnswGraphBuilder;
import org.apache.lucene.util.hnsw.HnswGraphSearcher;
import org.apache.lucene.util.hnsw.OnHeapHnswGraph;
import org.apache.lucene.util.hnsw.RandomVectorScorer;
import org.jspecify.annotations.Nullable;

/**
 * Lucene's graph of near neighbours over the vectors of one snapshot. Never changed: what is gone
 * since is passed over, what came since is looked at beside it.
 */
final class VectorGraph {

  private static final int CONNECTIONS = 32;
  private static final int BUILD_BEAM = 200;
  private static final int SEARCH_BEAM = 400;
  private static final int BEAM_PER_HIT = 8;
  private static final long SEED = 42;

  private final GraphCodes nodes;
  private final OnHeapHnswGraph graph;
  private final long sequence;
  private final long changes;

  private VectorGraph(GraphCodes nodes, OnHeapHnswGraph graph, long sequence, long changes) {
    this.nodes = nodes;
    this.graph = graph;
    this.sequence = sequence;
    this.changes = changes;
  }

  /**
   * Builds one, which takes tens of seconds for 100,000 vectors.
   *
   * @param sequence of the snapshot
   * @param changes of embeddings up to then
   * @param cancelled asked for each node; null is the answer then
   */
  static @Nullable VectorGraph build(
      GraphCodes nodes, long sequence, long changes, BooleanSupplier cancelled) {
    try {
      HnswGraphBuilder builder =
          HnswGraphBuilder.create(nodes.scorers(), CONNECTIONS, BUILD_BEAM, SEED, nodes.size());
      for (int node = 0; node < nodes.size(); node++) {
        if (cancelled.getAsBoolean()) {
          return null;
        }
        builder.addGraphNode(node);
      }
      return new VectorGraph(nodes, builder.getCompletedGraph(), sequence, changes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Versions born later are not in it. */
  long sequence() {
    return sequence;
  }

  /** Whether so much changed since that a new one pays. */
  boolean isStale(long changesNow) {
    return changesNow - changes > Math.max(1000, nodes.size() / 10);
  }

  /** Offers the slots that it finds, compared exactly. */
  void offer(
      VectorQuery query,
      Snapshot snapshot,
      FilterScan filter,
      long nowMicros,
      int limit,
      TopSlots top) {
    Bits alive =
        new Bits() {
          @Override
          public boolean get(int node) {
            return nodes.isVisible(node, snapshot, nowMicros)
                && filter.accepts(snapshot.item(nodes.slot(node)));
          }

          @Override
          public int length() {
            return nodes.size();
          }
        };
    for (ScoreDoc found : search(query, alive, Math.max(SEARCH_BEAM, BEAM_PER_HIT * limit))) {
      int slot = nodes.slot(found.doc);
      top.offer(slot, query.key(snapshot.chunk(slot), Snapshot.at(slot)));
    }
  }

  private ScoreDoc[] search(VectorQuery query, Bits alive, int beam) {
    RandomVectorScorer scorer = nodes.scorer(query);
    try {
      KnnCollector found = HnswGraphSearcher.search(scorer, beam, graph, alive, Integer.MAX_VALUE);
      return found.topDocs().scoreDocs;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
