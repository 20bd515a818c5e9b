package dev.troupe.server.memory.search;

import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The best few of many slots, by key and then by the id of the item, so that ties have an order.
 */
final class TopSlots {

  /**
   * A slot and what it is ordered by.
   *
   * @param slot of the snapshot
   * @param key the greater, the better
   */
  record Scored(int slot, double key) {}

  private final Snapshot snapshot;
  private final int[] slots;
  private final double[] keys;
  private int count;

  TopSlots(Snapshot snapshot, int limit) {
    this.snapshot = snapshot;
    slots = new int[limit];
    keys = new double[limit];
  }

  /** What a key has to reach, or it need not be offered. */
  double threshold() {
    return count < slots.length ? Double.NEGATIVE_INFINITY : keys[0];
  }

  /** Takes a visible slot in if it is among the best so far. Each slot once. */
  void offer(int slot, double key) {
    if (count < slots.length) {
      int child = count++;
      while (child > 0 && isWorse(slot, key, (child - 1) / 2)) {
        move((child - 1) / 2, child);
        child = (child - 1) / 2;
      }
      put(child, slot, key);
    } else if (slots.length > 0 && !isWorse(slot, key, 0)) {
      sink(slot, key);
    }
  }

  /** Best first. */
  List<Scored> ordered() {
    return IntStream.range(0, count)
        .mapToObj(i -> new Scored(slots[i], keys[i]))
        .sorted(
            Comparator.comparingDouble(Scored::key)
                .reversed()
                .thenComparing(scored -> snapshot.item(scored.slot()).id()))
        .toList();
  }

  private void sink(int slot, double key) {
    int parent = 0;
    while (true) {
      int child = 2 * parent + 1;
      if (child + 1 < count && isWorse(slots[child + 1], keys[child + 1], child)) {
        child++;
      }
      if (child >= count || isWorse(slot, key, child)) {
        put(parent, slot, key);
        return;
      }
      move(child, parent);
      parent = child;
    }
  }

  private boolean isWorse(int slot, double key, int than) {
    if (key != keys[than]) {
      return key < keys[than];
    }
    return snapshot.item(slot).id().compareTo(snapshot.item(slots[than]).id()) > 0;
  }

  private void move(int from, int to) {
    put(to, slots[from], keys[from]);
  }

  private void put(int at, int slot, double key) {
    slots[at] = slot;
    keys[at] = key;
  }
}
