package dev.troupe.server.event;

import dev.troupe.v1.GroupDelivery;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * A call of {@code PullEvents}. Each asks Redis once at the least, so that a call that does not
 * wait gets what there is. Thread-safe.
 */
final class PullCall {

  private final String member;
  private final int most;
  private final String requestId;
  private final String digest;
  private final boolean waits;
  private final CompletableFuture<List<GroupDelivery>> answer = new CompletableFuture<>();
  private boolean asking;
  private boolean timedOut;

  /**
   * A call that has not asked yet.
   *
   * @param most how many events it takes
   * @param waits whether it waits for the first
   */
  PullCall(String member, int most, String requestId, String digest, boolean waits) {
    this.member = member;
    this.most = most;
    this.requestId = requestId;
    this.digest = digest;
    this.waits = waits;
  }

  String member() {
    return member;
  }

  int most() {
    return most;
  }

  String requestId() {
    return requestId;
  }

  String digest() {
    return digest;
  }

  /** The deliveries, or none. */
  CompletableFuture<List<GroupDelivery>> answer() {
    return answer;
  }

  /** A round for it begins; false when nobody waits for it any more. */
  synchronized boolean begin() {
    asking = !answer.isDone() && !timedOut;
    return asking;
  }

  /** The time is up; a round under way may still bring something. */
  void timeout() {
    boolean idle;
    synchronized (this) {
      timedOut = true;
      idle = !asking;
    }
    if (idle) {
      answer.complete(List.of());
    }
  }

  /**
   * A round is over.
   *
   * @param last whether there was nothing more to be had
   * @return what is to be given back, as the caller is gone and does not come again
   */
  List<GroupDelivery> end(List<GroupDelivery> deliveries, boolean last) {
    boolean done;
    synchronized (this) {
      asking = false;
      done = !deliveries.isEmpty() || timedOut || (last && !waits);
    }
    return done && !answer.complete(deliveries) && requestId.isEmpty() ? deliveries : List.of();
  }
}
