package dev.troupe.server.memory.search;

import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Has a graph built when a space is large enough, and another when much changed. */
final class Graphs {

  private final IndexSettings settings;
  private final VectorKernel kernel;
  private final Readers readers;
  private final Supplier<Snapshot> current;
  private final Executor background;
  private final AtomicBoolean building = new AtomicBoolean();

  private volatile @Nullable VectorGraph graph;
  private volatile long changes;
  private volatile long cleared;
  private volatile boolean closed;

  Graphs(
      IndexSettings settings,
      VectorKernel kernel,
      Readers readers,
      Supplier<Snapshot> current,
      Executor background) {
    this.settings = settings;
    this.kernel = kernel;
    this.readers = readers;
    this.current = current;
    this.background = background;
  }

  /** Whether so many vectors are to be compared that a graph is worth its inexactness. */
  boolean isFor(int vectors) {
    return vectors > settings.approximateAbove();
  }

  /** The newest, of a snapshot before the current one; null while there is none. */
  @Nullable VectorGraph newest() {
    return graph;
  }

  /** The writer changed an embedding. */
  @SuppressWarnings("NonAtomicVolatileUpdate") // Only the writer writes it.
  void changed() {
    changes++;
  }

  /** The writer took all items away at a sequence number. */
  void clear(long sequence) {
    cleared = sequence;
    graph = null;
  }

  void close() {
    closed = true;
    graph = null;
  }

  /** Has one built if need be. Called after publishing. */
  void keepUp(int dimension) {
    VectorGraph built = graph;
    if (isFor(current.get().embedded())
        && (built == null || built.isStale(changes))
        && building.compareAndSet(false, true)) {
      background.execute(
          () -> {
            try {
              build(dimension);
            } finally {
              building.set(false);
            }
          });
    }
  }

  private void build(int dimension) {
    GraphCodes nodes;
    Snapshot snapshot;
    // A change more or less than the snapshot has does not matter.
    long until = changes;
    Readers.Place place = readers.enter(current.get().sequence());
    try {
      snapshot = current.get();
      nodes = GraphCodes.of(kernel, settings.metric(), dimension, snapshot);
    } finally {
      place.leave();
    }
    long sequence = snapshot.sequence();
    VectorGraph built =
        VectorGraph.build(nodes, sequence, until, () -> closed || cleared > sequence);
    if (built != null && !closed && cleared <= sequence) {
      graph = built;
    }
  }
}
