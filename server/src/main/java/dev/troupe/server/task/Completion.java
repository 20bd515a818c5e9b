package dev.troupe.server.task;

import dev.troupe.server.error.TroupeException;
import dev.troupe.v1.Attempt;
import dev.troupe.v1.Fence;
import dev.troupe.v1.OutboxEvent;
import java.util.List;

/**
 * The report that an attempt ended with a result.
 *
 * @param attempt the attempt
 * @param result what the task came to
 * @param fence refuses the report if it is stale; empty for none
 * @param events published if, and only if, this report ends the task
 */
@SuppressWarnings("ArrayRecordComponent") // Never compared.
record Completion(Attempt attempt, byte[] result, Fence fence, List<OutboxEvent> events) {

  /** What became of it. */
  sealed interface Outcome {}

  /** The task has ended with this result, now or before. */
  record Completed() implements Outcome {}

  /**
   * Nothing was changed.
   *
   * @param why the answer to the caller
   */
  record Refused(TroupeException why) implements Outcome {}
}
