package dev.troupe.server.log;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.function.BiConsumer;

/**
 * Readers that wait, by the thread that each is woken on: what a reader sends there is written with
 * what its neighbours send. Those that close stay among them until they are many.
 *
 * <p>Not thread-safe; the tail guards it.
 */
final class ParkedReaders {

  private static final int FEW = 64;

  private final Map<Executor, List<PartitionReader>> byHome = new HashMap<>();
  private int count;
  private int left;

  void add(PartitionReader reader) {
    list(reader.home()).add(reader);
    count++;
  }

  /** Adds readers of one thread. */
  void addAll(Executor home, List<PartitionReader> readers) {
    list(home).addAll(readers);
    count += readers.size();
  }

  private List<PartitionReader> list(Executor home) {
    return byHome.computeIfAbsent(home, absent -> new ArrayList<>());
  }

  /** A reader has closed, which may be one of these. */
  void left() {
    left++;
    if (left > FEW && left > count / 2) {
      left = 0;
      count = 0;
      for (List<PartitionReader> readers : byHome.values()) {
        readers.removeIf(PartitionReader::isClosed);
        count += readers.size();
      }
    }
  }

  /** Each thread with its readers, in the order in which they came. */
  void forEach(BiConsumer<Executor, List<PartitionReader>> action) {
    byHome.forEach(action);
  }
}
