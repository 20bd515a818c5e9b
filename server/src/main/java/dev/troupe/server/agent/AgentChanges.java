package dev.troupe.server.agent;

import com.google.inject.Inject;
import com.google.protobuf.util.FieldMaskUtil;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.grpc.Names;
import dev.troupe.server.grpc.RequestDigest;
import dev.troupe.server.redis.Partition;
import dev.troupe.v1.Agent;
import dev.troupe.v1.DeregisterAgentRequest;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.RegisterAgentRequest;
import dev.troupe.v1.UpdateAgentRequest;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

/** Changes of agents that take more than one step. */
final class AgentChanges {

  /** Of those who meet one wins each time, so this many may meet. */
  private static final int TRIES = 200;

  private static final String METRICS = "metrics";
  private static final Duration TRY_AGAIN = Duration.ofMillis(100);
  private static final FieldMaskUtil.MergeOptions CLEAR_WHAT_IS_EMPTY =
      new FieldMaskUtil.MergeOptions()
          .setReplaceMessageFields(true)
          .setReplaceRepeatedFields(true)
          .setReplacePrimitiveFields(true);

  private final AgentStore store;
  private final AgentConfig config;
  private final SessionEndings endings;
  private final AgentPorts ports;

  @Inject
  AgentChanges(AgentStore store, AgentConfig config, SessionEndings endings, AgentPorts ports) {
    this.store = store;
    this.ports = ports;
    this.config = config;
    this.endings = endings;
  }

  CompletionStage<AgentStore.Registered> register(RegisterAgentRequest request) {
    String digest = RequestDigest.of(request.getRequestId(), request);
    RegisterAgentRequest named = request;
    if (request.getAgentId().isEmpty()) {
      // A repeat has to land in the same partition, so its id follows from the request's.
      String id =
          request.getRequestId().isEmpty()
              ? UUID.randomUUID().toString()
              : UUID.nameUUIDFromBytes(request.getRequestIdBytes().toByteArray()).toString();
      named = request.toBuilder().setAgentId("agent-" + id).build();
    }
    RegisterAgentRequest complete = named;
    return store
        .locate(Names.namespace(request.getNamespace()), complete.getAgentId())
        .thenCompose(partition -> ports.register(partition, complete, digest))
        .thenApply(
            registered -> {
              if (registered.replaced()) {
                endings.poke();
              }
              return registered;
            });
  }

  CompletionStage<Agent> update(UpdateAgentRequest request) {
    String digest = RequestDigest.of(request.getRequestId(), request);
    return store
        .locate(Names.namespace(request.getNamespace()), request.getAgent().getAgentId())
        .thenCompose(partition -> update(partition, request, digest, 1));
  }

  private CompletionStage<Agent> update(
      Partition partition, UpdateAgentRequest request, String digest, int attempt) {
    return store
        .get(partition, request.getAgent().getAgentId())
        .exceptionallyCompose(failure -> ifForgotten(request, failure))
        .thenCompose(
            current -> {
              Agent.Builder changed = current.toBuilder();
              FieldMaskUtil.merge(
                  request.getUpdateMask(), request.getAgent(), changed, CLEAR_WHAT_IS_EMPTY);
              if (changed.getStatusValue() == 0) {
                changed.setStatus(current.getStatus());
              }
              return store.update(
                  partition,
                  changed.build(),
                  written(request),
                  version(request, current),
                  request.getFencingToken(),
                  request.getFence(),
                  request.getRequestId(),
                  digest);
            })
        .exceptionallyCompose(
            failure ->
                is(ErrorReason.ERROR_REASON_VERSION_MISMATCH, failure)
                        && request.getExpectedVersion() == 0
                    ? updateAgain(partition, request, digest, attempt + 1)
                    : CompletableFuture.failedFuture(failure));
  }

  private CompletionStage<Agent> updateAgain(
      Partition partition, UpdateAgentRequest request, String digest, int attempt) {
    return attempt <= TRIES
        ? update(partition, request, digest, attempt)
        : CompletableFuture.failedFuture(
            TroupeException.retryable(
                ErrorReason.ERROR_REASON_OVERLOADED,
                "too many update the agent at once; nothing was changed",
                TRY_AGAIN,
                null));
  }

  private static AgentStore.Written written(UpdateAgentRequest request) {
    boolean metrics = request.getUpdateMask().getPathsList().contains(METRICS);
    boolean other =
        request.getUpdateMask().getPathsList().stream().anyMatch(path -> !path.equals(METRICS));
    if (!metrics) {
      return AgentStore.Written.AGENT;
    }
    return other ? AgentStore.Written.BOTH : AgentStore.Written.METRICS;
  }

  /** The version that the agent has to have for the update to be written. */
  private static long version(UpdateAgentRequest request, Agent current) {
    if (request.getExpectedVersion() != 0 && request.getExpectedVersion() != current.getVersion()) {
      // No version matches 0: even so the store has to say, as it may know the request.
      return 0;
    }
    return request.getExpectedVersion() == 0 && written(request) == AgentStore.Written.METRICS
        ? -1
        : current.getVersion();
  }

  /** The answer to a request may be kept for longer than the agent. */
  private static CompletionStage<Agent> ifForgotten(UpdateAgentRequest request, Throwable failure) {
    return is(ErrorReason.ERROR_REASON_AGENT_NOT_FOUND, failure)
            && !request.getRequestId().isEmpty()
        ? CompletableFuture.completedFuture(
            Agent.newBuilder().setAgentId(request.getAgent().getAgentId()).build())
        : CompletableFuture.failedFuture(failure);
  }

  private static boolean is(ErrorReason reason, Throwable failure) {
    Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
    return cause instanceof TroupeException refusal && refusal.reason() == reason;
  }

  CompletionStage<Agent> deregister(DeregisterAgentRequest request) {
    return store
        .locate(Names.namespace(request.getNamespace()), request.getAgentId())
        .thenCompose(
            partition ->
                store.deregister(
                    partition,
                    request.getAgentId(),
                    request.getFencingToken(),
                    request.getReason(),
                    config.retention(),
                    request.getFence(),
                    request.getRequestId(),
                    RequestDigest.of(request.getRequestId(), request)))
        .thenApply(
            agent -> {
              endings.poke();
              return agent;
            });
  }
}
