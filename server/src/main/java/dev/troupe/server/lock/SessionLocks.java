package dev.troupe.server.lock;

import com.google.inject.Inject;
import dev.troupe.server.agent.SessionEnd;
import dev.troupe.server.agent.SessionEndListener;
import dev.troupe.server.redis.Namespaces;
import dev.troupe.server.redis.Partition;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Ends the leases and waits that are bound to an agent's session, with the session. */
final class SessionLocks implements SessionEndListener {

  private final LockStore store;
  private final Namespaces namespaces;

  @Inject
  SessionLocks(LockStore store, Namespaces namespaces) {
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
                        .map(partition -> endAll(partition, end).toCompletableFuture())
                        .toArray(CompletableFuture<?>[]::new)));
  }

  private CompletionStage<?> endAll(Partition partition, SessionEnd end) {
    String reason = "the agent's session ended: " + end.reason().name().toLowerCase(Locale.ROOT);
    return store
        .endSession(partition, end.agentId(), end.token(), reason)
        .thenCompose(
            more -> more ? endAll(partition, end) : CompletableFuture.completedFuture(null));
  }
}
