package dev.troupe.server.redis;

import java.util.concurrent.CompletionStage;

/** Whether what was written is on a replica too. */
public interface Replicas {

  /**
   * Completes once a replica has acknowledged all that scripts wrote to a partition before this
   * call, or at once when no replica is connected. Calls that come while one is under way share the
   * next. Fails with OUTCOME_UNKNOWN when none acknowledged within a second.
   */
  CompletionStage<?> acknowledged(Partition partition);
}
