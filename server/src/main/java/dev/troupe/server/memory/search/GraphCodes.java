package dev.troupe.server.memory.search;

import java.util.ArrayList;
import java.util.List;
import org.apache.lucene.util.hnsw.RandomVectorScorer;
import org.apache.lucene.util.hnsw.RandomVectorScorerSupplier;

/**
 * The int8 codes of the vectors of one snapshot, in a copy: a graph goes on leading through items
 * that are gone, whose slots others have by then.
 */
final class GraphCodes {

  private final VectorKernel kernel;
  private final Metric metric;
  private final int dimension;
  private final List<byte[]> codes = new ArrayList<>();
  private final float[] scales;
  private final float[] squared;
  private final int[] slots;
  private final long[] born;
  private int size;

  private GraphCodes(VectorKernel kernel, Metric metric, int dimension, int capacity) {
    this.kernel = kernel;
    this.metric = metric;
    this.dimension = dimension;
    scales = new float[capacity];
    squared = new float[capacity];
    slots = new int[capacity];
    born = new long[capacity];
  }

  /** Those that are alive in a snapshot, expired ones included. The caller is among the readers. */
  static GraphCodes of(VectorKernel kernel, Metric metric, int dimension, Snapshot snapshot) {
    GraphCodes all = new GraphCodes(kernel, metric, dimension, snapshot.embedded());
    for (int i = 0; i < snapshot.chunks().length; i++) {
      Chunk chunk = snapshot.chunks()[i];
      int used = chunk.dimension == 0 ? 0 : chunk.used;
      for (int at = 0; at < used; at++) {
        if (chunk.isVisible(at, snapshot.sequence(), Long.MIN_VALUE)) {
          all.add((i << Chunk.SHIFT) + at, chunk, at);
        }
      }
    }
    return all;
  }

  private void add(int slot, Chunk chunk, int at) {
    int place = size & (Chunk.SIZE - 1);
    if (place == 0) {
      codes.add(new byte[Chunk.SIZE * dimension]);
    }
    chunk.copyCodes(at, codes.get(size >>> Chunk.SHIFT), place * dimension);
    scales[size] = chunk.scales[at];
    squared[size] = (float) chunk.squared[at];
    slots[size] = slot;
    born[size] = chunk.bornAt(at);
    size++;
  }

  int size() {
    return size;
  }

  int slot(int node) {
    return slots[node];
  }

  /** Whether a node's version is one that a reader sees. */
  boolean isVisible(int node, Snapshot snapshot, long nowMicros) {
    int slot = slots[node];
    return slot >>> Chunk.SHIFT < snapshot.chunks().length
        && snapshot.isVisible(slot, nowMicros)
        && snapshot.chunk(slot).bornAt(Snapshot.at(slot)) == born[node];
  }

  /** Compares nodes with a query. */
  RandomVectorScorer scorer(VectorQuery query) {
    return new Scorer(query.codes, query.productFactor());
  }

  /** Compares nodes with each other. */
  RandomVectorScorerSupplier scorers() {
    return new RandomVectorScorerSupplier() {
      @Override
      public RandomVectorScorer scorer(int node) {
        short[] query = new short[dimension];
        int from = (node & (Chunk.SIZE - 1)) * dimension;
        byte[] own = codes.get(node >>> Chunk.SHIFT);
        for (int i = 0; i < dimension; i++) {
          query[i] = own[from + i];
        }
        return new Scorer(query, metric == Metric.L2 ? 2.0 * scales[node] : scales[node]);
      }

      @Override
      public RandomVectorScorerSupplier copy() {
        return this;
      }
    };
  }

  private final class Scorer implements RandomVectorScorer {
    private final short[] query;
    private final double factor;
    private final int[] product = new int[1];

    Scorer(short[] query, double factor) {
      this.query = query;
      this.factor = factor;
    }

    @Override
    public float score(int node) {
      kernel.multiply(
          query, codes.get(node >>> Chunk.SHIFT), node & (Chunk.SIZE - 1), 1, product, 0);
      double score = factor * scales[node] * product[0];
      return (float) (metric == Metric.L2 ? score - squared[node] : score);
    }

    @Override
    public int maxOrd() {
      return size;
    }
  }
}
