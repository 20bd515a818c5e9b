package dev.troupe.server.memory.search;

import org.jspecify.annotations.Nullable;

/**
 * What a reader may see: all versions alive at one sequence number.
 *
 * @param sequence counts the changes of this index
 * @param revision of the space, as its log has it
 * @param chunks every one that holds a version alive at that sequence number
 * @param size how many items there are, expired ones included
 * @param embedded how many of them have an embedding
 */
record Snapshot(long sequence, long revision, Chunk[] chunks, int size, int embedded) {

  Chunk chunk(int slot) {
    return chunks[slot >>> Chunk.SHIFT];
  }

  static int at(int slot) {
    return slot & (Chunk.SIZE - 1);
  }

  boolean isVisible(int slot, long nowMicros) {
    return chunk(slot).isVisible(at(slot), sequence, nowMicros);
  }

  /** The item of a slot that is visible. */
  StoredItem item(int slot) {
    @Nullable StoredItem item = chunk(slot).items[at(slot)];
    if (item == null) {
      throw new IllegalStateException("a visible slot is empty: " + slot);
    }
    return item;
  }
}
