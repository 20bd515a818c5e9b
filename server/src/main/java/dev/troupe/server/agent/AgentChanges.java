package dev.troupe.server.agent;

import com.google.inject.Inject;
import com.google.protobuf.Message;
import com.google.protobuf.util.FieldMaskUtil;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.grpc.Names;
import dev.troupe.server.redis.Partition;
import dev.troupe.v1.Agent;
import dev.troupe.v1.DeregisterAgentRequest;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.RegisterAgentRequest;
import dev.troupe.v1.UpdateAgentRequest;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

/** Changes of agents that take more than one step. */
final class AgentChanges {

  private static final int TRIES = 5;
  private static final FieldMaskUtil.MergeOptions CLEAR_WHAT_IS_EMPTY =
      new FieldMaskUtil.MergeOptions()
          .setReplaceMessageFields(true)
          .setReplaceRepeatedFields(true)
          .setReplacePrimitiveFields(true);

  private final AgentStore store;
  private final AgentConfig config;

  @Inject
  AgentChanges(AgentStore store, AgentConfig config) {
    this.store = store;
    this.config = config;
  }

  CompletionStage<AgentStore.Registered> register(RegisterAgentRequest request) {
    String digest = digest(request.getRequestId(), request);
    RegisterAgentRequest named = request;
    if (request.getAgentId().isEmpty()) {
      // A repeat has to land in the same partition, so its id follows from the request's.
      String id =
          request.getRequestId().isEmpty()
              ? UUID.randomUUID().toString()
              : UUID.nameUUIDFromBytes(request.getRequestIdBytes().toByteArray()).toString();
      named = request.toBuilder().setAgentId("agent-" + id.substring(0, 13)).build();
    }
    RegisterAgentRequest complete = named;
    return store
        .locate(Names.namespace(request.getNamespace()), complete.getAgentId())
        .thenCompose(partition -> store.register(partition, complete, digest));
  }

  CompletionStage<Agent> update(UpdateAgentRequest request) {
    String digest = digest(request.getRequestId(), request);
    return store
        .locate(Names.namespace(request.getNamespace()), request.getAgent().getAgentId())
        .thenCompose(partition -> update(partition, request, digest, 1));
  }

  private CompletionStage<Agent> update(
      Partition partition, UpdateAgentRequest request, String digest, int attempt) {
    return store
        .get(partition, request.getAgent().getAgentId())
        .thenCompose(
            current -> {
              Agent.Builder changed = current.toBuilder();
              FieldMaskUtil.merge(
                  request.getUpdateMask(), request.getAgent(), changed, CLEAR_WHAT_IS_EMPTY);
              if (request.getExpectedVersion() != 0) {
                changed.setVersion(request.getExpectedVersion());
              }
              if (changed.getStatusValue() == 0) {
                changed.setStatus(current.getStatus());
              }
              return store.update(
                  partition,
                  changed.build(),
                  request.getFencingToken(),
                  request.getFence(),
                  request.getRequestId(),
                  digest);
            })
        .exceptionallyCompose(
            failure ->
                isMismatch(failure) && request.getExpectedVersion() == 0 && attempt < TRIES
                    ? update(partition, request, digest, attempt + 1)
                    : CompletableFuture.failedFuture(failure));
  }

  private static boolean isMismatch(Throwable failure) {
    Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
    return cause instanceof TroupeException refusal
        && refusal.reason() == ErrorReason.ERROR_REASON_VERSION_MISMATCH;
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
                    digest(request.getRequestId(), request)));
  }

  private static String digest(String requestId, Message request) {
    if (requestId.isEmpty()) {
      return "";
    }
    try {
      byte[] hash = MessageDigest.getInstance("SHA-256").digest(request.toByteArray());
      return HexFormat.of().formatHex(hash, 0, 16);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }
}
