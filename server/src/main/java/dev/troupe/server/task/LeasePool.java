package dev.troupe.server.task;

import com.google.protobuf.Duration;
import dev.troupe.v1.LeasedTask;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All takers of one queue on this server that share the same capabilities: they lease together, one
 * call at a time, so that a busy queue costs a call per round and an idle one costs nothing.
 *
 * <p>When a round comes back short, nothing is left that these takers may have, and the pool is
 * <i>dry</i>: it asks no more until the bell rings. The scripts ring whenever a class of tasks that
 * was empty no longer is. A ring that arrives while a round is under way may be about a task that
 * the round just missed, so it is counted, and such a round does not make the pool dry. A lost ring
 * is made up for by {@link #ring} once a second.
 *
 * <p>Thread-safe. Takers are called without the lock, but for how much they take.
 */
final class LeasePool {

  private static final Logger log = LoggerFactory.getLogger(LeasePool.class);

  private final TaskStore store;
  private final QueueId queue;
  private final Set<String> capabilities;
  private final Duration window;

  private final LinkedHashSet<LeaseTaker> takers = new LinkedHashSet<>();
  private final LinkedHashSet<LeaseTaker> hungry = new LinkedHashSet<>();
  private boolean inFlight;
  private boolean dry;
  private long rings;

  LeasePool(TaskStore store, QueueId queue, Set<String> capabilities, Duration window) {
    this.store = store;
    this.queue = queue;
    this.capabilities = capabilities;
    this.window = window;
  }

  /** Lets a taker in; it is served once it is offered. */
  synchronized void enter(LeaseTaker taker) {
    takers.add(taker);
  }

  /** Shows a taker out, and says whether the pool is empty now. */
  synchronized boolean leave(LeaseTaker taker) {
    takers.remove(taker);
    hungry.remove(taker);
    return takers.isEmpty();
  }

  /** A taker may have free slots. */
  void offer(LeaseTaker taker) {
    synchronized (this) {
      if (takers.contains(taker)) {
        hungry.add(taker);
      }
    }
    pump();
  }

  /** Work may have arrived. */
  void ring() {
    synchronized (this) {
      rings++;
      dry = false;
    }
    pump();
  }

  private void pump() {
    Round round = nextRound();
    if (round == null) {
      return;
    }
    store
        .lease(queue, capabilities, window, round.wishes)
        .whenComplete((grant, failure) -> settle(round, grant, failure));
  }

  /** Who asks for how many, with their slots set aside. */
  private record Round(
      List<LeaseTaker> takers, List<LeaseWish> wishes, int asked, long ringsBefore) {}

  private synchronized @Nullable Round nextRound() {
    if (inFlight || dry) {
      return null;
    }
    List<LeaseTaker> asking = new ArrayList<>();
    List<LeaseWish> wishes = new ArrayList<>();
    int asked = 0;
    Iterator<LeaseTaker> queueing = hungry.iterator();
    while (queueing.hasNext() && asked < TaskStore.MOST_PER_SCRIPT) {
      LeaseTaker taker = queueing.next();
      int reserved = taker.reserve(TaskStore.MOST_PER_SCRIPT - asked);
      if (reserved == 0) {
        queueing.remove();
        continue;
      }
      asking.add(taker);
      wishes.add(new LeaseWish(taker.worker(), taker.epoch(queue), reserved));
      asked += reserved;
    }
    if (asked == 0) {
      return null;
    }
    inFlight = true;
    return new Round(asking, wishes, asked, rings);
  }

  /** A taker that fails must not keep the others from their tasks, nor from the next round. */
  private void serve(LeaseTaker taker, int wanted, List<LeasedTask> tasks) {
    try {
      taker.settle(queue, wanted, tasks);
    } catch (RuntimeException | Error fault) {
      log.warn("{}: {} does not take what was leased for it", queue, taker.worker(), fault);
    }
  }

  private void settle(Round round, @Nullable LeaseGrant grant, @Nullable Throwable failure) {
    if (failure != null) {
      log.debug("leasing from {} failed, trying again soon", queue, failure);
    }
    int granted = 0;
    for (int i = 0; i < round.takers.size(); i++) {
      LeaseTaker taker = round.takers.get(i);
      List<LeasedTask> tasks = grant == null ? List.of() : grant.tasks().get(i);
      granted += tasks.size();
      serve(taker, round.wishes.get(i).wanted(), tasks);
      if (grant != null && grant.replaced().contains(i)) {
        taker.replaced();
      }
    }
    synchronized (this) {
      inFlight = false;
      // After a failure nothing is known, and the safety poll asks again.
      dry = failure != null || (granted < round.asked && rings == round.ringsBefore);
      if (granted > 0) {
        // Those who were served go to the end of the line.
        for (LeaseTaker taker : round.takers) {
          if (hungry.remove(taker) && takers.contains(taker)) {
            hungry.add(taker);
          }
        }
      }
    }
    pump();
  }
}
