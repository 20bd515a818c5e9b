package dev.troupe.server.task;

import com.google.inject.Inject;
import dev.troupe.server.agent.SessionEnd;
import dev.troupe.server.agent.SessionEndListener;
import dev.troupe.server.redis.Namespaces;
import dev.troupe.server.redis.Partition;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Takes the tasks back that a worker holds whose id is that of an agent, when the agent's session
 * ends: as lost with it when it fell silent, else as released. What the same worker leases after
 * the end, or picks up by a stream opened after it, is its next session's and stays.
 */
final class WorkerEndings implements SessionEndListener {

  private final TaskStore store;
  private final Namespaces namespaces;

  @Inject
  WorkerEndings(TaskStore store, Namespaces namespaces) {
    this.store = store;
    this.namespaces = namespaces;
  }

  @Override
  public CompletionStage<?> sessionEnded(SessionEnd end) {
    return namespaces
        .partitions(end.namespace())
        .thenCompose(
            partitions ->
                CompletableFuture.allOf(
                    partitions.stream()
                        .map(partition -> giveBack(partition, end, "").toCompletableFuture())
                        .toArray(CompletableFuture<?>[]::new)));
  }

  private CompletionStage<?> giveBack(Partition partition, SessionEnd end, String from) {
    String reason =
        switch (end.reason()) {
          case LOST -> "agent_lost";
          case DEREGISTERED -> "agent_deregistered";
          case REPLACED -> "agent_replaced";
        };
    return store
        .endWorker(
            partition,
            end.agentId(),
            end.endedMicros(),
            end.reason() == SessionEnd.Reason.LOST,
            reason,
            from)
        .thenCompose(
            next ->
                next.isEmpty()
                    ? CompletableFuture.completedFuture(null)
                    : giveBack(partition, end, next));
  }
}
