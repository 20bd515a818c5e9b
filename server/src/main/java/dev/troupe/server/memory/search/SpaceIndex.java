package dev.troupe.server.memory.search;

import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * The search index of one memory space, in memory.
 *
 * <p>One writer follows the space's log and applies each revision in one step; any number of
 * threads search meanwhile. A search sees one revision, whole: never half of a change, never a
 * version of an item that its revision does not have. Neither side waits for the other, except that
 * a search for words writes first what was put since the last one.
 *
 * <p>Vectors are compared exactly up to {@link IndexSettings#approximateAbove}, so the hits are the
 * true nearest ones. BM25 counts words of replaced items until Lucene merges them away, so its
 * scores, though not what may be found, can differ a little between servers.
 *
 * <p>A search takes a processor for up to some milliseconds: not for an event loop.
 */
public final class SpaceIndex implements AutoCloseable {

  static {
    LuceneNotices.silence();
  }

  private final IndexSettings settings;
  private final Readers readers = new Readers();
  private final VectorScan scan;
  private final Graphs graphs;
  private final TextIndex text;

  // The writer's own, guarded by this.
  private final Slots slots = new Slots(readers);
  private final Map<String, Integer> slotOf = new HashMap<>();
  private int embedded;
  private int dimension;
  private boolean closed;

  private volatile Snapshot current = new Snapshot(0, 0, new Chunk[0], 0, 0);

  /**
   * An empty index at revision 0.
   *
   * @param background runs what makes later searches faster, off the threads of callers
   */
  public SpaceIndex(IndexSettings settings, Executor background) {
    this(settings, background, VectorKernels.best());
  }

  SpaceIndex(IndexSettings settings, Executor background, VectorKernel kernel) {
    this.settings = settings;
    dimension = settings.dimension();
    scan = new VectorScan(kernel);
    graphs = new Graphs(settings, kernel, readers, () -> current, background);
    text = new TextIndex(settings.language(), () -> current, background);
  }

  /**
   * One as it was dumped. The same settings and files are needed.
   *
   * @throws IOException if the dump cannot be read or does not fit together
   */
  public static SpaceIndex restored(IndexSettings settings, Executor background, DumpReader in)
      throws IOException {
    SpaceIndex index = new SpaceIndex(settings, background);
    index.restore(in);
    return index;
  }

  private synchronized void restore(DumpReader in) throws IOException {
    long sequence = in.number();
    long revision = in.number();
    dimension = (int) in.number();
    for (int left = in.count(Long.BYTES); left > 0; left--) {
      slots.add(ChunkDump.read(in));
    }
    text.restore(TextDump.read(in));
    Chunk[] chunks = slots.chunks();
    for (int i = 0; i < chunks.length; i++) {
      enter(chunks[i], i << Chunk.SHIFT);
    }
    current = new Snapshot(sequence, revision, chunks, slotOf.size(), embedded);
    graphs.changed();
    graphs.keepUp(dimension);
  }

  private void enter(Chunk chunk, int firstSlot) throws IOException {
    for (int at = 0; at < chunk.used; at++) {
      StoredItem item = chunk.items[at];
      if (item != null) {
        if (slotOf.put(item.id(), firstSlot + at) != null) {
          throw new IOException("damaged: an item twice");
        }
        embedded += chunk.dimension > 0 ? 1 : 0;
      }
    }
  }

  /**
   * Writes everything as of one revision, {@link #revision()} or a later one. Changes and searches
   * go on meanwhile.
   *
   * @throws IOException if it cannot be written
   */
  public void dump(DumpWriter out) throws IOException {
    Readers.Place place = readers.enter(current.sequence());
    try (TextDump words = text.dump()) {
      Snapshot snapshot = words.snapshot();
      out.number(snapshot.sequence());
      out.number(snapshot.revision());
      out.number(dimensionOf(snapshot));
      out.number(snapshot.chunks().length);
      for (Chunk chunk : snapshot.chunks()) {
        ChunkDump.write(chunk, snapshot.sequence(), out);
      }
      words.write(out);
    } finally {
      place.leave();
    }
  }

  /**
   * Puts one item; see {@link #apply}.
   *
   * @throws IllegalArgumentException if the embedding has another dimension than the space
   */
  public void upsert(IndexItem item, long revision) {
    apply(List.of(new IndexChange.Upsert(item)), revision);
  }

  /** Takes one item away, if it is there; see {@link #apply}. */
  public void remove(String id, long revision) {
    apply(List.of(new IndexChange.Remove(id)), revision);
  }

  /** Takes all items away; see {@link #apply}. */
  public void clear(long revision) {
    apply(List.of(new IndexChange.Clear()), revision);
  }

  /** The log went on with nothing that is searched for. */
  public void advance(long revision) {
    apply(List.of(), revision);
  }

  /**
   * Makes the changes of one revision, in order. Searches that begin after this returned see all of
   * them, those that began before see none. All are made or, if one is refused, none.
   *
   * @param revision of the log; one before {@link #revision()} leaves that as it is
   * @throws IllegalArgumentException if an embedding has another dimension than the space
   */
  public synchronized void apply(List<? extends IndexChange> changes, long revision) {
    requireDimension(changes);
    if (closed) {
      return;
    }
    Snapshot before = current;
    long sequence = before.sequence() + 1;
    for (IndexChange change : changes) {
      make(change, sequence, before);
    }
    current =
        new Snapshot(
            sequence,
            Math.max(revision, before.revision()),
            changes.isEmpty() ? before.chunks() : slots.chunks(),
            slotOf.size(),
            embedded);
    text.writeAhead();
    graphs.keepUp(dimension);
  }

  private void requireDimension(List<? extends IndexChange> changes) {
    int expected = dimension;
    for (IndexChange change : changes) {
      if (change instanceof IndexChange.Upsert upsert && upsert.item().embedding().length > 0) {
        int found = upsert.item().embedding().length;
        if (expected == 0 && found > 0 && found <= IndexSettings.MAX_DIMENSION) {
          expected = found;
        }
        requireDimension(found, expected);
      }
    }
    dimension = expected;
  }

  private static void requireDimension(int found, int expected) {
    if (found != expected || found == 0) {
      throw new IllegalArgumentException(
          "embedding: " + found + " dimensions (expected: " + expected + ")");
    }
  }

  private void make(IndexChange change, long sequence, Snapshot before) {
    if (change instanceof IndexChange.Upsert upsert) {
      put(upsert.item(), sequence, before.sequence());
    } else if (change instanceof IndexChange.Remove remove) {
      take(remove.id(), sequence);
    } else if (change instanceof IndexChange.Touch touch) {
      Integer slot = slotOf.get(touch.id());
      if (slot != null) {
        slots.chunk(slot).expireAt(Snapshot.at(slot), touch.expireMicros());
      }
    } else {
      slotOf.clear();
      slots.clear();
      text.clear(sequence);
      graphs.clear(sequence);
      embedded = 0;
      dimension = settings.dimension();
    }
  }

  private void put(IndexItem item, long sequence, long published) {
    take(item.id(), sequence);
    StoredItem stored = StoredItem.of(item);
    int slot = slots.take(item.embedding().length, published);
    slots.chunk(slot).write(Snapshot.at(slot), item, stored, settings.metric(), sequence);
    slotOf.put(item.id(), slot);
    if (item.embedding().length > 0) {
      embedded++;
      graphs.changed();
    }
    if (stored.hasText()) {
      text.add(sequence, slot, item.text());
    }
  }

  private void take(String id, long sequence) {
    Integer slot = slotOf.remove(id);
    if (slot == null) {
      return;
    }
    Chunk chunk = slots.chunk(slot);
    StoredItem item = chunk.items[Snapshot.at(slot)];
    if (item != null && item.hasText()) {
      text.delete(sequence, slot, chunk.bornAt(Snapshot.at(slot)));
    }
    if (chunk.dimension > 0) {
      embedded--;
      graphs.changed();
    }
    slots.retire(slot, sequence);
  }

  /**
   * Finds items.
   *
   * @param nowMicros what has expired by then, in microseconds since the epoch, is not found
   * @throws IllegalArgumentException if the query's vector has another dimension than the space
   */
  public SearchResult search(SearchQuery query, long nowMicros) {
    Fusion fusion = query.fusion();
    Map<String, Integer> terms =
        fusion.textWeight() > 0 ? text.analysis().terms(query.text()) : Map.of();
    // Before the snapshot, which then has all that the graph has.
    VectorGraph graph = graphs.newest();
    Readers.Place place = readers.enter(current.sequence());
    try {
      if (terms.isEmpty()) {
        return search(query, nowMicros, current, graph, terms, null);
      }
      try (TextView words = text.view()) {
        return search(query, nowMicros, words.snapshot(), graph, terms, words);
      }
    } finally {
      place.leave();
    }
  }

  private SearchResult search(
      SearchQuery query,
      long nowMicros,
      Snapshot snapshot,
      @Nullable VectorGraph graph,
      Map<String, Integer> terms,
      @Nullable TextView words) {
    float[] vector = query.vector();
    VectorQuery near = null;
    if (query.fusion().vectorWeight() > 0 && vector.length > 0) {
      int expected = dimensionOf(snapshot);
      requireDimension(vector.length, expected == 0 ? vector.length : expected);
      near = new VectorQuery(settings.metric(), vector);
    }
    Search search = new Search(snapshot, settings.metric(), query, nowMicros);
    return search.run(near, new Nearest(scan, graphs, graph, snapshot, nowMicros), terms, words);
  }

  private int dimensionOf(Snapshot snapshot) {
    if (settings.dimension() > 0) {
      return settings.dimension();
    }
    for (Chunk chunk : snapshot.chunks()) {
      if (chunk.dimension > 0) {
        return chunk.dimension;
      }
    }
    return 0;
  }

  /** The revision up to which all changes are in. */
  public long revision() {
    return current.revision();
  }

  /** How many items there are, those included that expired and were not removed yet. */
  public int size() {
    return current.size();
  }

  /** How many of them have an embedding. */
  public int embedded() {
    return current.embedded();
  }

  /** How many changes of texts the next search for words has to write first. */
  public int textBacklog() {
    return text.backlog();
  }

  /** How many slots there are, used or not. */
  int slots() {
    int all = 0;
    for (Chunk chunk : current.chunks()) {
      all += chunk.capacity();
    }
    return all;
  }

  /** The inner loops that this process compares vectors with, for logs and figures. */
  public static String vectorKernel() {
    return VectorKernels.best().name();
  }

  /** Lets go of everything. Searches under way end as they would; later ones find nothing new. */
  @Override
  public void close() {
    synchronized (this) {
      closed = true;
    }
    graphs.close();
    text.close();
  }
}
