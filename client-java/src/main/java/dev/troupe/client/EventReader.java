package dev.troupe.client;

import dev.troupe.v1.EventDelivery;
import dev.troupe.v1.SubscribeRequest;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.TimeUnit;

/**
 * A subscription to be read by one thread at a time. A few events are fetched ahead; the resume
 * token to keep is that of the last event returned. Gaps are not told here: who has to know takes
 * an {@link EventListener}.
 */
public final class EventReader implements AutoCloseable {

  private static final int MOST_AHEAD = 256;

  private final Queue<EventDelivery> ahead = new ArrayDeque<>();
  private final Subscription subscription;
  private boolean closed;

  EventReader(EventClient events, SubscribeRequest request) {
    subscription = events.subscribe(request, this::put);
    subscription.done().whenComplete((ended, failure) -> wakeUp());
  }

  private synchronized void put(EventDelivery delivery) {
    try {
      while (!closed && ahead.size() >= MOST_AHEAD) {
        wait();
      }
    } catch (InterruptedException e) {
      // The event was not handed over, so the subscription must not go on after it.
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while an event waited for its reader", e);
    }
    ahead.add(delivery);
    notifyAll();
  }

  private synchronized void wakeUp() {
    notifyAll();
  }

  /**
   * The next event, or nothing when none came within the timeout.
   *
   * @throws TroupeClientException when the subscription cannot go on
   */
  public synchronized Optional<EventDelivery> next(Duration timeout) throws InterruptedException {
    long end = System.nanoTime() + timeout.toNanos();
    while (ahead.isEmpty()) {
      if (subscription.done().isDone()) {
        Blocking.await(subscription.done());
        return Optional.empty();
      }
      long left = end - System.nanoTime();
      if (left <= 0) {
        return Optional.empty();
      }
      TimeUnit.NANOSECONDS.timedWait(this, left);
    }
    EventDelivery delivery = ahead.remove();
    notifyAll();
    return Optional.of(delivery);
  }

  /** Ends the subscription. */
  @Override
  public void close() {
    synchronized (this) {
      closed = true;
      notifyAll();
    }
    subscription.close();
  }
}
