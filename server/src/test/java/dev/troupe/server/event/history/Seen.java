package dev.troupe.server.event.history;

import com.google.protobuf.util.Timestamps;
import dev.troupe.v1.EventDelivery;
import dev.troupe.v1.GapReason;
import java.util.List;

/** One thing that a subscription saw, in the order in which it did. */
sealed interface Seen {

  /** Which partition it is about. */
  int partition();

  /**
   * Whether it is the first from its partition since the stream was resumed, with a token that may
   * have come without events and so stand behind what did not match.
   */
  boolean resumed();

  /** Up to where it says that the partition was read before. */
  long from();

  /** Events, and the part of the log that they are all of what matches from. */
  record Batch(int partition, boolean resumed, long from, long to, List<Got> events)
      implements Seen {}

  /** What is said to be missing: everything after {@code from} up to {@code to}. */
  record Missing(
      int partition,
      boolean resumed,
      long from,
      long to,
      long missed,
      GapReason reason,
      long heardNanos)
      implements Seen {}

  /**
   * An event with its places in its partition and in its topic. An event that was lost and
   * published again may have the same places, but not the same time.
   */
  record Got(EventName event, String key, long position, long topicPosition, long acceptedMillis) {

    static Got of(EventDelivery one) {
      return new Got(
          new EventName(one.getTopic(), one.getEvent().getSource(), one.getEvent().getId()),
          one.getEvent().getKey(),
          one.getPosition(),
          one.getTopicPosition(),
          Timestamps.toMillis(one.getAcceptTime()));
    }
  }
}
