package dev.troupe.server.event.history;

import java.util.List;

/** One thing that a subscription saw, in the order in which it did. */
sealed interface Seen {

  /** Which partition it is about. */
  int partition();

  /**
   * Events, and the part of the log that they are all of what matches from.
   *
   * @param resumed whether it is the first from its partition since the stream was resumed, with a
   *     token that may have come without events and so stand behind what did not match
   */
  record Batch(int partition, boolean resumed, long previous, long read, List<Got> events)
      implements Seen {}

  /** What is said to be missing: everything after {@code from} up to {@code to}. */
  record Missing(int partition, long from, long to, String reason) implements Seen {}

  /** An event with its places in its partition and in its topic. */
  record Got(String topic, long position, long topicPosition, String source, String id) {

    Event event() {
      return new Event(topic, source, id);
    }
  }

  /** What makes an event the same one. */
  record Event(String topic, String source, String id) {}
}
