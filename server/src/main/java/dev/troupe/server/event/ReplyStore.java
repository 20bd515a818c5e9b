package dev.troupe.server.event;

import com.google.inject.Inject;
import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.redis.Fences;
import dev.troupe.server.redis.Namespaces;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.Reply;
import dev.troupe.server.redis.Script;
import dev.troupe.server.redis.ScriptRunner;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.Event;
import dev.troupe.v1.Fence;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Requests that wait for a reply, by their correlation ids. A request is known until 10 minutes
 * after it stopped waiting, and its reply, the first one, as long. Thread-safe.
 */
final class ReplyStore {

  private static final Script AWAIT = Script.load("event/await_reply");
  private static final Script CLAIM = Script.load("event/claim_request");
  private static final Script REPLY = Script.load("event/reply");

  private final ScriptRunner scripts;
  private final Namespaces namespaces;

  @Inject
  ReplyStore(ScriptRunner scripts, Namespaces namespaces) {
    this.scripts = scripts;
    this.namespaces = namespaces;
  }

  /**
   * What is known of a request.
   *
   * @param dueMicros until when it waits, since 1970 by the clock of Redis
   */
  record Standing(long dueMicros, Optional<Event> reply) {}

  /** Where the request of a correlation id is known. */
  CompletionStage<Partition> locate(String namespace, String correlationId) {
    return namespaces.locate(namespace, correlationId);
  }

  /**
   * Says that a request waits from now on, for so long; a repeat of it goes on waiting. Fails with
   * REQUEST_ID_REUSED when another request waits under the same correlation id.
   *
   * @param digest tells one request from another
   */
  CompletionStage<Standing> open(
      Partition partition, String correlationId, String digest, long waitMillis) {
    return standing(partition, correlationId, digest, waitMillis);
  }

  /** Looks whether the reply has come. */
  CompletionStage<Standing> look(Partition partition, String correlationId, String digest) {
    return standing(partition, correlationId, digest, 0);
  }

  private CompletionStage<Standing> standing(
      Partition partition, String correlationId, String digest, long waitMillis) {
    return scripts
        .run(AWAIT, partition, EventKeys.digest(correlationId, "", ""), digest, waitMillis)
        .thenApply(
            elements -> {
              Reply reply = new Reply(elements);
              return switch (reply.text(0)) {
                case "OK" -> new Standing(reply.number(1), event(reply.bytes(2)));
                case "REUSED" ->
                    throw TroupeException.of(
                        ErrorReason.ERROR_REASON_REQUEST_ID_REUSED,
                        "another request waits under this correlation id",
                        Map.of("correlation_id", correlationId));
                // It was lost with the data of Redis: nobody can reply to it any more.
                default -> new Standing(0, Optional.empty());
              };
            });
  }

  /**
   * Keeps a request id for one request to several partitions, for 10 minutes; fails with
   * REQUEST_ID_REUSED when it is that of another one.
   *
   * @param requestId empty for none
   */
  CompletionStage<@Nullable Void> claim(String namespace, String requestId, String digest) {
    if (requestId.isEmpty()) {
      return CompletableFuture.completedFuture(null);
    }
    return namespaces
        .locate(namespace, requestId)
        .thenCompose(partition -> scripts.run(CLAIM, partition, requestId, digest))
        .thenApply(
            elements -> {
              if (!new Reply(elements).ok()) {
                throw TroupeException.requestIdReused();
              }
              return null;
            });
  }

  private static Optional<Event> event(ByteString encoded) {
    try {
      return encoded.isEmpty() ? Optional.empty() : Optional.of(Event.parseFrom(encoded));
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("a reply cannot be decoded", e);
    }
  }

  /**
   * Hands a reply over, unless nobody waits any more or another one came first; then it is false
   * and nothing is changed. The same reply again is true again.
   */
  CompletionStage<Boolean> reply(String namespace, String correlationId, Event reply, Fence fence) {
    return locate(namespace, correlationId)
        .thenCompose(
            partition ->
                scripts.run(
                    REPLY,
                    partition,
                    EventKeys.digest(correlationId, "", ""),
                    correlationId,
                    reply.toByteArray(),
                    reply.hasTime() ? "0" : "1",
                    reply.getId(),
                    Fences.name(partition, fence),
                    fence.getToken()))
        .thenApply(
            elements -> {
              Reply answer = new Reply(elements);
              if (!answer.ok()) {
                throw TroupeException.staleFence(answer.number(1));
              }
              return answer.text(1).equals("1");
            });
  }
}
