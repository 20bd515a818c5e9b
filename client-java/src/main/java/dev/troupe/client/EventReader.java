package dev.troupe.client;

import dev.troupe.v1.EventBatch;
import dev.troupe.v1.EventDelivery;
import dev.troupe.v1.SubscribeRequest;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.TimeUnit;

/**
 * A subscription to be read by one thread at a time. A few events are fetched ahead. Gaps are not
 * told here: who has to know takes an {@link EventListener}.
 */
public final class EventReader implements AutoCloseable {

  private static final int MOST_AHEAD = 256;

  private final Queue<Ahead> ahead = new ArrayDeque<>();
  private final Subscription subscription;
  private String resumeToken = "";
  private boolean closed;

  /** An event, and the token of its batch when it is the last one. */
  private record Ahead(EventDelivery delivery, String token) {}

  EventReader(EventClient events, SubscribeRequest request) {
    resumeToken = request.getResumeToken();
    subscription = events.subscribe(request, this::put, delivery -> {});
    subscription.done().whenComplete((ended, failure) -> wakeUp());
  }

  private synchronized void put(EventBatch batch) {
    int last = batch.getDeliveriesCount() - 1;
    for (int i = 0; i <= last; i++) {
      put(new Ahead(batch.getDeliveries(i), i == last ? batch.getResumeToken() : ""));
    }
  }

  private synchronized void put(Ahead next) {
    try {
      while (!closed && ahead.size() >= MOST_AHEAD) {
        wait();
      }
    } catch (InterruptedException e) {
      // The event was not handed over, so the subscription must not go on after it.
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while an event waited for its reader", e);
    }
    ahead.add(next);
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
    Ahead next = ahead.remove();
    if (!next.token().isEmpty()) {
      resumeToken = next.token();
    }
    notifyAll();
    return Optional.of(next.delivery());
  }

  /**
   * The token to keep: it resumes after the last event returned, or a few before it when the server
   * sends more than one at a time ({@code max_batch_size}). Empty when there is none yet.
   */
  public synchronized String resumeToken() {
    return resumeToken;
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
