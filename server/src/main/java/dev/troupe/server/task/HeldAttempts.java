package dev.troupe.server.task;

import dev.troupe.v1.Attempt;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** The attempts that a worker's stream holds, each taking up one slot. Guarded by its stream. */
final class HeldAttempts {

  /** One of them, and how far its delivery is. */
  static final class Held {
    final QueueId queue;
    final Attempt attempt;
    final long deliveredNanos;

    /** The worker said that it has it. */
    boolean acknowledged;

    /** Redis knows that the worker has it. */
    boolean confirmed;

    /** The worker was told to stop. */
    boolean stopSent;

    /** The worker reported its end, and Redis has not answered yet. */
    boolean ending;

    Held(QueueId queue, Attempt attempt, long deliveredNanos) {
      this.queue = queue;
      this.attempt = attempt;
      this.deliveredNanos = deliveredNanos;
    }
  }

  private record Key(String queue, String taskId) {}

  private final Map<Key, Held> held = new HashMap<>();

  int size() {
    return held.size();
  }

  void add(Held one) {
    held.put(key(one.attempt), one);
  }

  /** The one that this very attempt is, or null. */
  @Nullable Held find(Attempt attempt) {
    Held one = held.get(key(attempt));
    return one != null && one.attempt.getFencingToken() == attempt.getFencingToken() ? one : null;
  }

  boolean remove(Attempt attempt) {
    return find(attempt) != null && held.remove(key(attempt)) != null;
  }

  /** Those that the condition holds for, by queue. */
  Map<QueueId, List<Held>> select(Predicate<Held> condition) {
    Map<QueueId, List<Held>> selected = new HashMap<>();
    for (Held one : held.values()) {
      if (condition.test(one)) {
        selected.computeIfAbsent(one.queue, queue -> new ArrayList<>()).add(one);
      }
    }
    return selected;
  }

  private static Key key(Attempt attempt) {
    return new Key(attempt.getQueue(), attempt.getTaskId());
  }
}
