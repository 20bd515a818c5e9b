package dev.troupe.server.memory.search;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The writer's book of slots: which are free, and which will be once nobody sees what died there.
 * Items with and without a vector live in chunks of their own.
 */
final class Slots {

  private record Dead(int slot, long sequence) {}

  /** The free and the dying slots of chunks of one kind. */
  private static final class Kind {
    private final ArrayDeque<Integer> free = new ArrayDeque<>();
    private final ArrayDeque<Dead> dead = new ArrayDeque<>();
    private int filling = -1;
    private int next;
  }

  private final Readers readers;
  private final List<Chunk> chunks = new ArrayList<>();
  private Chunk @Nullable [] asArray;
  private final Kind plain = new Kind();
  private final Kind embedded = new Kind();

  Slots(Readers readers) {
    this.readers = readers;
  }

  Chunk chunk(int slot) {
    return chunks.get(slot >>> Chunk.SHIFT);
  }

  /** For the next snapshot. */
  Chunk[] chunks() {
    Chunk[] same = asArray;
    if (same == null) {
      same = chunks.toArray(Chunk[]::new);
      asArray = same;
    }
    return same;
  }

  /**
   * A slot that nobody can see, for a vector of a dimension or for none (0).
   *
   * @param published the sequence number of the current snapshot
   */
  int take(int dimension, long published) {
    Kind kind = dimension == 0 ? plain : embedded;
    reclaim(kind, published);
    Integer free = kind.free.poll();
    return free == null ? fresh(kind, dimension) : free;
  }

  private void reclaim(Kind kind, long published) {
    if (!kind.free.isEmpty() || kind.dead.isEmpty()) {
      return;
    }
    // What this change kills is still seen by readers who begin before it is published.
    long unseen = Math.min(published, readers.oldest());
    for (Dead dead = kind.dead.peek();
        dead != null && dead.sequence() <= unseen;
        dead = kind.dead.peek()) {
      chunk(dead.slot()).forget(Snapshot.at(dead.slot()));
      kind.free.add(dead.slot());
      kind.dead.remove();
    }
  }

  private int fresh(Kind kind, int dimension) {
    if (kind.filling < 0 || kind.next == Chunk.SIZE) {
      // Who filled one will need another; growing it would leave a copy behind at each step.
      chunks.add(kind.filling < 0 ? new Chunk(dimension) : new Chunk(dimension, Chunk.SIZE));
      kind.filling = chunks.size() - 1;
      kind.next = 0;
      asArray = null;
    } else if (kind.next == chunks.get(kind.filling).capacity()) {
      chunks.set(kind.filling, chunks.get(kind.filling).grown());
      asArray = null;
    }
    return (kind.filling << Chunk.SHIFT) + kind.next++;
  }

  /** The version in a slot is seen up to a sequence number, and not from there on. */
  void retire(int slot, long sequence) {
    Chunk chunk = chunk(slot);
    chunk.kill(Snapshot.at(slot), sequence);
    (chunk.dimension == 0 ? plain : embedded).dead.add(new Dead(slot, sequence));
  }

  /** Adds a chunk as it was dumped, to which nobody holds on; those before it are full. */
  void add(Chunk chunk) {
    Kind kind = chunk.dimension == 0 ? plain : embedded;
    kind.filling = chunks.size();
    kind.next = chunk.used;
    for (int at = 0; at < chunk.used; at++) {
      if (chunk.items[at] == null) {
        kind.free.add((kind.filling << Chunk.SHIFT) + at);
      }
    }
    chunks.add(chunk);
    asArray = null;
  }

  /** Begins anew; readers keep the chunks that they have. */
  void clear() {
    chunks.clear();
    asArray = null;
    for (Kind kind : List.of(plain, embedded)) {
      kind.free.clear();
      kind.dead.clear();
      kind.filling = -1;
      kind.next = 0;
    }
  }
}
