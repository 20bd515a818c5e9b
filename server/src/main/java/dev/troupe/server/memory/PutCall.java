package dev.troupe.server.memory;

import dev.troupe.server.error.TroupeException;
import dev.troupe.server.memory.MemoryScripts.Guard;
import java.util.List;

/** Items to be put into a space, under one guard. */
record PutCall(String space, List<NewItem> items, Guard guard) {

  /** About how many bytes it takes in a script's arguments. */
  int size() {
    return items.stream().mapToInt(NewItem::size).sum();
  }

  /** What became of it. */
  sealed interface Outcome {}

  /**
   * It went through, though single items may have been refused.
   *
   * @param evicted how many items had to go, with those past their lifetime
   * @param evictedIds without those
   * @param results of the first ones of its items; the others were left for another call
   */
  record Put(long revision, long evicted, List<String> evictedIds, List<PutResult> results)
      implements Outcome {}

  /** Nothing was changed. */
  record Refused(TroupeException why) implements Outcome {}
}
