package dev.troupe.server.task;

import com.google.inject.Inject;
import com.google.inject.Singleton;
import com.google.protobuf.Duration;
import com.google.protobuf.util.Durations;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The pools of this server, each made with its first taker and dropped with its last one. */
@Singleton
final class LeasePools {

  private final TaskStore store;
  private final Map<QueueId, Map<Key, LeasePool>> pools = new HashMap<>();

  private record Key(QueueId queue, Set<String> capabilities, Duration window) {}

  @Inject
  LeasePools(TaskStore store) {
    this.store = store;
  }

  /**
   * Lets a taker into the pool of its like.
   *
   * @param window how long a delivery may take to be acknowledged; zero for calls, whose answer is
   *     the delivery
   */
  Membership join(QueueId queue, Set<String> capabilities, Duration window, LeaseTaker taker) {
    Key key = new Key(queue, Set.copyOf(capabilities), window);
    LeasePool pool;
    synchronized (this) {
      pool =
          pools
              .computeIfAbsent(queue, q -> new HashMap<>())
              .computeIfAbsent(key, k -> new LeasePool(store, queue, k.capabilities, window));
      // Inside the lock, so that the pool cannot be dropped as empty in between.
      pool.enter(taker);
    }
    // Outside of it, because serving a taker calls back into it.
    pool.offer(taker);
    return new Membership(this, key, pool, taker);
  }

  /** Work may have arrived in a queue. */
  void ring(QueueId queue) {
    for (LeasePool pool : poolsOf(queue)) {
      pool.ring();
    }
  }

  /** Work may have arrived anywhere: what the bell may have failed to say. */
  void ringAll() {
    List<LeasePool> all = new ArrayList<>();
    synchronized (this) {
      pools.values().forEach(ofQueue -> all.addAll(ofQueue.values()));
    }
    all.forEach(LeasePool::ring);
  }

  private synchronized List<LeasePool> poolsOf(QueueId queue) {
    return List.copyOf(pools.getOrDefault(queue, Map.of()).values());
  }

  private synchronized void leave(Key key, LeasePool pool, LeaseTaker taker) {
    Map<Key, LeasePool> ofQueue = pools.getOrDefault(key.queue, Map.of());
    if (pool.leave(taker) && ofQueue.remove(key, pool) && ofQueue.isEmpty()) {
      pools.remove(key.queue);
    }
  }

  /** A taker's place in a pool. */
  record Membership(LeasePools pools, Key key, LeasePool pool, LeaseTaker taker) {

    /** The taker may have free slots. */
    void offer() {
      pool.offer(taker);
    }

    QueueId queue() {
      return key.queue;
    }

    void leave() {
      pools.leave(key, pool, taker);
    }
  }

  /** A window for takers whose answer is the delivery. */
  static final Duration NO_WINDOW = Durations.ZERO;
}
