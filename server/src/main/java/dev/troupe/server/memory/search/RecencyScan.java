package dev.troupe.server.memory.search;

import java.util.List;

/** Finds what was changed last. */
final class RecencyScan {

  private RecencyScan() {}

  /** The newest, newest first; keys are microseconds. */
  static List<TopSlots.Scored> newest(
      Snapshot snapshot, FilterScan filter, long nowMicros, int limit) {
    TopSlots top = new TopSlots(snapshot, limit);
    int[] places = new int[Chunk.SIZE];
    for (int i = 0; i < snapshot.chunks().length; i++) {
      Chunk chunk = snapshot.chunks()[i];
      int count = filter.select(chunk, 0, chunk.used, places);
      for (int j = 0; j < count; j++) {
        int at = places[j];
        // A dead version may show any time here; it is no candidate then.
        double key = chunk.updated[at];
        if (key >= top.threshold() && chunk.isVisible(at, snapshot.sequence(), nowMicros)) {
          int slot = (i << Chunk.SHIFT) + at;
          if (filter.accepts(snapshot.item(slot))) {
            top.offer(slot, key);
          }
        }
      }
    }
    return top.ordered();
  }
}
