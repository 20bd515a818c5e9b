package dev.troupe.server.task;

import dev.troupe.v1.TaskState;

/** What became of one task that was to be added. */
public sealed interface EnqueueOutcome {

  /** It was added. */
  record Created(String taskId, TaskState state) implements EnqueueOutcome {}

  /** One with the same id or dedupe key was there; nothing was changed. */
  record Existing(String taskId, TaskState state) implements EnqueueOutcome {}

  /** One with the same id or dedupe key was there, and the policy is to refuse. */
  record Conflict(String taskId) implements EnqueueOutcome {}

  /** The queue takes no new tasks. */
  record Draining() implements EnqueueOutcome {}

  /** The queue has too many different {@code requires} waiting. */
  record TooManyClasses() implements EnqueueOutcome {}
}
