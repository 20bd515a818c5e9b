package dev.troupe.server.task;

import dev.troupe.v1.LeasedTask;
import java.util.List;

/** Somebody who takes tasks: a worker's stream, or a call of {@code Lease} that waits. */
interface LeaseTaker {

  String worker();

  /** Epoch of the stream in a queue; 0 when there is no stream. */
  long epoch(QueueId queue);

  /**
   * Sets free slots aside for a round of leasing.
   *
   * @return how many, from 0 to {@code most}; {@link #settle} gives them back
   */
  int reserve(int most);

  /** Ends a reservation with what came of it, possibly nothing. */
  void settle(QueueId queue, int reserved, List<LeasedTask> tasks);

  /** A newer stream of the same worker exists. */
  void replaced();
}
