package dev.troupe.server.memory.search;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** The vector leg of one search: a scan, or a graph with a scan of what it does not have yet. */
final class Nearest implements Search.VectorLeg {

  private final VectorScan scan;
  private final Graphs graphs;
  private final @Nullable VectorGraph graph;
  private final Snapshot snapshot;
  private final long nowMicros;
  private boolean exact = true;

  /** With a graph that is not newer than the snapshot. */
  Nearest(
      VectorScan scan,
      Graphs graphs,
      @Nullable VectorGraph graph,
      Snapshot snapshot,
      long nowMicros) {
    this.scan = scan;
    this.graphs = graphs;
    this.graph = graph;
    this.snapshot = snapshot;
    this.nowMicros = nowMicros;
  }

  @Override
  public List<TopSlots.Scored> best(VectorQuery query, FilterScan filter, int limit) {
    VectorGraph usable = graph;
    if (usable == null
        || !graphs.isFor(snapshot.embedded())
        || !graphs.isFor(filter.count(snapshot))) {
      return scan.best(snapshot, query, filter, nowMicros, limit);
    }
    exact = false;
    TopSlots top = new TopSlots(snapshot, limit);
    usable.offer(query, snapshot, filter, nowMicros, limit, top);
    scan.offerBornAfter(usable.sequence(), snapshot, query, filter, nowMicros, top);
    return top.ordered();
  }

  @Override
  public String method() {
    return exact ? "exact int8" : "hnsw";
  }
}
