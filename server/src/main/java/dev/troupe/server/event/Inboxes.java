package dev.troupe.server.event;

import com.google.inject.Inject;
import dev.troupe.server.agent.AgentDirectory;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.grpc.Names;
import dev.troupe.server.grpc.RequestDigest;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.Event;
import dev.troupe.v1.Fence;
import dev.troupe.v1.Recipients;
import dev.troupe.v1.SendMessageRequest;
import dev.troupe.v1.SendMessageResponse;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * The inboxes of agents, each a topic of its own. A message that goes to many is appended to one
 * inbox after the other: a server that dies on the way leaves some without it, and the same call
 * again gives it to those alone. Thread-safe.
 */
final class Inboxes {

  /** What the topics of inboxes begin with. */
  static final String PREFIX = "inbox.";

  /** Where replies go that a server waits for. */
  static final String REPLIES = "troupe.replies";

  private static final int MOST_NAMED = 1000;
  private static final int AT_ONCE = 64;

  private final AgentDirectory agents;
  private final EventStore events;
  private final ReplyStore replies;

  @Inject
  Inboxes(AgentDirectory agents, EventStore events, ReplyStore replies) {
    this.agents = agents;
    this.events = events;
    this.replies = replies;
  }

  /** The topic of an agent's inbox. */
  static String topic(String agentId) {
    return PREFIX + agentId;
  }

  /** Gives a message to all that it is for. */
  CompletionStage<SendMessageResponse> send(SendMessageRequest request) {
    String namespace = Names.namespace(request.getNamespace());
    String digest = RequestDigest.of(request.getRequestId(), request);
    Event message = withId(request.getMessage(), digest);
    Sending sending = new Sending(namespace, message, request.getFence());
    return replies
        .claim(namespace, request.getRequestId(), digest)
        .thenCompose(claimed -> sending.toAll(request.getTo()))
        .thenApply(done -> sending.response());
  }

  /** The same message has the same id in all inboxes, and when it is sent again. */
  static Event withId(Event message, String digest) {
    if (!message.getId().isEmpty()) {
      return message;
    }
    String id = digest.isEmpty() ? UUID.randomUUID().toString() : digest;
    return message.toBuilder().setId(id).build();
  }

  /** Fails with AGENT_NOT_FOUND if one of these was never registered. */
  CompletionStage<@Nullable Void> known(String namespace, List<String> agentIds) {
    return agents
        .unknown(namespace, agentIds)
        .thenApply(
            unknown -> {
              if (!unknown.isEmpty()) {
                throw TroupeException.of(
                        ErrorReason.ERROR_REASON_AGENT_NOT_FOUND,
                        "no agent of this id was ever registered; the message went to nobody",
                        Map.of(
                            "agent_ids",
                            String.join(", ", unknown.subList(0, Math.min(16, unknown.size())))))
                    .about("namespace", namespace, "agent_id", unknown.get(0));
              }
              return null;
            });
  }

  /** One message on its way. */
  private final class Sending {
    private final String namespace;
    private final Event message;
    private final Fence fence;
    private final SendMessageResponse.Builder sent = SendMessageResponse.newBuilder();

    Sending(String namespace, Event message, Fence fence) {
      this.namespace = namespace;
      this.message = message;
      this.fence = fence;
    }

    CompletionStage<?> toAll(Recipients to) {
      if (to.getAgentIdsCount() == 0) {
        return agents.visit(namespace, to.getType(), to.getCapabilitiesList(), this::to);
      }
      List<String> ids = List.copyOf(new LinkedHashSet<>(to.getAgentIdsList()));
      return known(namespace, ids).thenCompose(known -> to(ids));
    }

    private CompletionStage<@Nullable Void> to(List<String> ids) {
      CompletionStage<@Nullable Void> appended = CompletableFuture.completedFuture(null);
      for (int i = 0; i < ids.size(); i += AT_ONCE) {
        List<String> some = ids.subList(i, Math.min(ids.size(), i + AT_ONCE));
        appended = appended.thenCompose(before -> atOnce(some));
      }
      return appended;
    }

    private CompletionStage<@Nullable Void> atOnce(List<String> ids) {
      CompletableFuture<?>[] all =
          ids.stream()
              .map(id -> append(namespace, id, message, fence).toCompletableFuture())
              .toArray(CompletableFuture<?>[]::new);
      return CompletableFuture.allOf(all)
          .thenApply(
              done -> {
                sent.setRecipientCount(sent.getRecipientCount() + ids.size());
                int room = MOST_NAMED - sent.getAgentIdsCount();
                sent.addAllAgentIds(ids.subList(0, Math.min(room, ids.size())));
                return null;
              });
    }

    SendMessageResponse response() {
      return sent.setMessageId(message.getId()).build();
    }
  }

  /** Appends a message to an inbox, once. */
  CompletionStage<@Nullable Void> append(
      String namespace, String agentId, Event message, Fence fence) {
    return events
        .publish(namespace, topic(agentId), message, fence)
        .thenApply(
            outcome -> {
              EventStore.published(outcome);
              return null;
            });
  }
}
