package dev.troupe.server.event.history;

import dev.troupe.v1.SlowPolicy;
import dev.troupe.v1.SubscribeRequest;
import java.util.function.Predicate;

/**
 * A subscription of a run.
 *
 * @param request as it began
 * @param wanted which events it has to see
 */
record Subscription(
    String name, SubscribeRequest request, Predicate<Seen.Got> wanted, Reader reader) {

  /** Whether it reads what its topics keep, and so misses nothing that only the log dropped. */
  boolean namesItsTopics() {
    return request.getTopicsList().stream().noneMatch(topic -> topic.contains("*"));
  }

  /**
   * The check of it.
   *
   * @param trims of the logs
   * @param mayLose whether these may have lost their ends
   */
  SubscriptionCheck check(Trims trims, boolean mayLose) {
    boolean mayDrop = request.getSlowPolicy() == SlowPolicy.SLOW_POLICY_DROP_OLDEST;
    Trims missed = namesItsTopics() ? new Trims() : trims;
    return new SubscriptionCheck(name, mayDrop, mayLose, missed, reader.startedNanos());
  }
}
