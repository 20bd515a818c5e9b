package dev.troupe.server.task;

import com.google.inject.Inject;
import dev.troupe.server.outbox.Outbox;
import dev.troupe.server.redis.ScriptBatcher;
import dev.troupe.v1.Fence;
import dev.troupe.v1.OutboxEvent;
import dev.troupe.v1.TaskSpec;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * The changes that come one by one and in numbers: those of a queue that arrive together share a
 * script, for most of what one costs Redis is the same for one task and for many. Thread-safe.
 */
final class SharedScripts {

  /** What an event takes of the room of one script, so that at most 64 of them share it. */
  private static final int WEIGHT_OF_EVENT = 16 << 10;

  private final Outbox outbox;
  private final ScriptBatcher<QueueId, TaskSpec, EnqueueOutcome> enqueues;
  private final ScriptBatcher<QueueId, Completion, Completion.Outcome> completions;

  @Inject
  SharedScripts(TaskStore store, Outbox outbox) {
    this.outbox = outbox;
    enqueues =
        new ScriptBatcher<>(
            TaskStore.MOST_PER_SCRIPT,
            (queue, tasks) -> store.enqueue(queue, tasks, Fence.getDefaultInstance(), "", ""),
            TaskSpec::getSerializedSize);
    completions =
        new ScriptBatcher<>(TaskStore.MOST_PER_SCRIPT, store::complete, SharedScripts::size);
  }

  private static int size(Completion completion) {
    int size = completion.result().length + WEIGHT_OF_EVENT * completion.events().size();
    for (OutboxEvent event : completion.events()) {
      size += event.getSerializedSize();
    }
    return size;
  }

  /** Adds a task, under no fence and without a request id. */
  CompletionStage<EnqueueOutcome> enqueue(QueueId queue, TaskSpec task) {
    return enqueues.add(queue, task);
  }

  /** Ends a task with a result, and publishes its events. */
  CompletionStage<Completion.Completed> complete(QueueId queue, Completion completion) {
    return completions
        .add(queue, completion)
        .thenCompose(
            outcome -> {
              if (outcome instanceof Completion.Refused refused) {
                return CompletableFuture.failedFuture(refused.why());
              }
              if (!completion.events().isEmpty()) {
                outbox.written(queue.partition());
              }
              return CompletableFuture.completedFuture((Completion.Completed) outcome);
            });
  }
}
