package dev.troupe.server.lock.history;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicLong;

/** What the clients saw. Thread-safe. */
final class History {

  final AtomicLong operations = new AtomicLong();
  final AtomicLong grants = new AtomicLong();
  final AtomicLong refusals = new AtomicLong();
  final AtomicLong unknown = new AtomicLong();
  final AtomicLong lateWritesRefused = new AtomicLong();
  final AtomicLong deadlocks = new AtomicLong();
  private final Queue<Tenure> tenures = new ConcurrentLinkedQueue<>();
  private final Queue<String> violations = new ConcurrentLinkedQueue<>();

  /** The highest token of each lock that any client was told of so far. */
  private final ConcurrentMap<String, Long> highest = new ConcurrentHashMap<>();

  void granted(String lock, long token) {
    grants.incrementAndGet();
    highest.merge(lock, token, Math::max);
  }

  long highest(String lock) {
    return highest.getOrDefault(lock, 0L);
  }

  void held(Tenure tenure) {
    tenures.add(tenure);
  }

  void violation(String what) {
    violations.add(what);
  }

  List<Tenure> tenures() {
    return new ArrayList<>(tenures);
  }

  List<String> violations() {
    return new ArrayList<>(violations);
  }
}
