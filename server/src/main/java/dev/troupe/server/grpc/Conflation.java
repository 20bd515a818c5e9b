package dev.troupe.server.grpc;

import dev.troupe.server.log.LogEntry;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * Of the entries of a log up to some place, those that are the newest of their topic and subject.
 * It knows them by number, so it takes a bit each and keeps none of them in memory.
 */
final class Conflation implements Predicate<LogEntry> {

  private final BitSet newest = new BitSet();
  private final long first;
  private final long head;

  private record Subject(String topic, String subject) {}

  /**
   * Finds the newest.
   *
   * @param entries in order, without a hole
   * @param wanted which of them count at all
   * @param after the sequence right before them
   */
  Conflation(List<LogEntry> entries, Predicate<LogEntry> wanted, long after) {
    first = after + 1;
    head = after + entries.size();
    Map<Subject, LogEntry> bySubject = new HashMap<>();
    for (LogEntry entry : entries) {
      if (wanted.test(entry)) {
        bySubject.put(new Subject(entry.topic(), entry.subject()), entry);
      }
    }
    bySubject.values().forEach(entry -> newest.set((int) (entry.position().sequence() - first)));
  }

  /** The last sequence that it is about. */
  long head() {
    return head;
  }

  /** How many entries are left. */
  int kept() {
    return newest.cardinality();
  }

  /** Whether the entry is one of the newest, or comes after all of this. */
  @Override
  public boolean test(LogEntry entry) {
    long sequence = entry.position().sequence();
    return sequence > head || (sequence >= first && newest.get((int) (sequence - first)));
  }
}
