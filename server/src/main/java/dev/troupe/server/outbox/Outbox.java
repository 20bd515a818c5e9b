package dev.troupe.server.outbox;

import dev.troupe.server.redis.Partition;

/**
 * Carries events that a script wrote by {@code common/outbox} to their topics, in the order
 * written, each once. Those of a server that was killed in between are carried by another one
 * within a few seconds. Thread-safe; never blocks.
 */
public interface Outbox {

  /** Says that there are events in the outbox of a partition, which are carried at once. */
  void written(Partition partition);
}
