package dev.troupe.server.event;

import com.google.inject.Inject;
import com.google.protobuf.util.Timestamps;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.event.ReplyStore.Standing;
import dev.troupe.server.grpc.Drainable;
import dev.troupe.server.grpc.Names;
import dev.troupe.server.grpc.RequestDigest;
import dev.troupe.server.log.EntryWaits;
import dev.troupe.server.log.PartitionLogs;
import dev.troupe.server.redis.Partition;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.Event;
import dev.troupe.v1.ReplyRequest;
import dev.troupe.v1.ReplyResponse;
import dev.troupe.v1.RequestRequest;
import dev.troupe.v1.RequestResponse;
import io.grpc.Context;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Messages that wait for a reply. That a request waits, and its reply, are in Redis; here hangs
 * only who is to be told, so that the same request again, through whichever server, gets the same
 * reply. No thread waits.
 */
final class Requests implements Drainable {

  private static final Duration RETRY_ELSEWHERE = Duration.ofMillis(100);

  private final Inboxes inboxes;
  private final EventStore events;
  private final ReplyStore replies;
  private final EntryWaits waits;
  private final ScheduledExecutorService timers;
  private final Set<CompletableFuture<@Nullable Void>> pending = ConcurrentHashMap.newKeySet();
  private volatile boolean draining;

  @Inject
  Requests(
      Inboxes inboxes,
      EventStore events,
      ReplyStore replies,
      PartitionLogs logs,
      ScheduledExecutorService timers) {
    this.inboxes = inboxes;
    this.events = events;
    this.replies = replies;
    this.waits =
        new EntryWaits(
            logs, entry -> entry.topic().equals(Inboxes.REPLIES) ? entry.subject() : null);
    this.timers = timers;
  }

  /** A request on its way. */
  private record Asked(
      Partition partition, RequestRequest request, String correlationId, String digest) {}

  /** Sends a request, and yields its reply or fails with NO_REPLY. */
  CompletionStage<RequestResponse> request(RequestRequest request) {
    String namespace = Names.namespace(request.getNamespace());
    String id = request.getRequestId();
    String correlationId = request.getMessage().getCorrelationId();
    if (correlationId.isEmpty()) {
      correlationId =
          id.isEmpty() ? UUID.randomUUID().toString() : EventKeys.digest("request", namespace, id);
    }
    String correlated = correlationId;
    String digest = RequestDigest.of(id.isEmpty() ? correlated : id, request);
    Context caller = Context.current();
    return inboxes
        .known(namespace, List.of(request.getAgentId()))
        .thenCompose(known -> replies.locate(namespace, correlated))
        .thenCompose(
            partition -> ask(namespace, new Asked(partition, request, correlated, digest), caller));
  }

  private CompletionStage<RequestResponse> ask(String namespace, Asked asked, Context caller) {
    EntryWaits.Waiting waiting = waits.await(asked.partition, asked.correlationId);
    CompletableFuture<@Nullable Void> over = waiting.woken();
    Context.CancellationListener cancelled = context -> over.complete(null);
    caller.addListener(cancelled, Runnable::run);
    pending.add(over);
    long wait = MessageChecks.waitMillis(asked.request);
    return waiting
        .ready()
        .thenCompose(
            ready -> replies.open(asked.partition, asked.correlationId, asked.digest, wait))
        .thenCompose(
            standing ->
                standing.reply().isPresent()
                    ? CompletableFuture.completedFuture(standing)
                    : send(namespace, asked, standing).thenCompose(sent -> hang(asked, over, wait)))
        .thenApply(standing -> response(asked, standing))
        .whenComplete(
            (response, failure) -> {
              pending.remove(over);
              caller.removeListener(cancelled);
              waiting.leave().run();
            });
  }

  private CompletionStage<@Nullable Void> send(String namespace, Asked asked, Standing standing) {
    Event message =
        Inboxes.withId(asked.request.getMessage(), asked.digest).toBuilder()
            .setCorrelationId(asked.correlationId)
            .setReplyTo(Inboxes.REPLIES)
            .setReplyDeadline(Timestamps.fromMicros(standing.dueMicros()))
            .build();
    return inboxes.append(namespace, asked.request.getAgentId(), message, asked.request.getFence());
  }

  private CompletionStage<Standing> hang(
      Asked asked, CompletableFuture<@Nullable Void> over, long waitMillis) {
    if (draining) {
      over.complete(null);
    }
    ScheduledFuture<?> timer =
        timers.schedule(() -> over.complete(null), waitMillis, TimeUnit.MILLISECONDS);
    return over.thenCompose(
        done -> {
          timer.cancel(false);
          return replies.look(asked.partition, asked.correlationId, asked.digest);
        });
  }

  private RequestResponse response(Asked asked, Standing standing) {
    Optional<Event> reply = standing.reply();
    if (reply.isPresent()) {
      return RequestResponse.newBuilder()
          .setReply(reply.get())
          .setCorrelationId(asked.correlationId)
          .build();
    }
    throw draining
        ? TroupeException.shuttingDown(
            "wait on another one, with the same request_id", RETRY_ELSEWHERE)
        : TroupeException.of(
            ErrorReason.ERROR_REASON_NO_REPLY,
            "no reply came in time; the request is in the agent's inbox",
            Map.of("correlation_id", asked.correlationId));
  }

  /** Hands a reply to the request that waits for it, or appends it to the topic that was asked. */
  CompletionStage<ReplyResponse> reply(ReplyRequest request) {
    String namespace = Names.namespace(request.getNamespace());
    Event asked = request.getRequest();
    Event reply =
        Inboxes.withId(request.getReply(), RequestDigest.of(request.getRequestId(), request))
            .toBuilder()
            .setCorrelationId(asked.getCorrelationId())
            .setCausationId(asked.getId())
            .build();
    CompletionStage<Boolean> inTime =
        asked.getReplyTo().equals(Inboxes.REPLIES)
            ? replies.reply(namespace, asked.getCorrelationId(), reply, request.getFence())
            : events
                .publish(namespace, asked.getReplyTo(), reply, request.getFence())
                .thenApply(outcome -> inTime(asked, outcome));
    return inTime.thenApply(
        is -> ReplyResponse.newBuilder().setMessageId(reply.getId()).setInTime(is).build());
  }

  private static boolean inTime(Event asked, EventStore.Outcome outcome) {
    long accepted = EventStore.published(outcome).at().position().millis();
    return !asked.hasReplyDeadline() || accepted <= Timestamps.toMillis(asked.getReplyDeadline());
  }

  @Override
  public CompletionStage<?> drain() {
    draining = true;
    pending.forEach(one -> one.complete(null));
    return CompletableFuture.completedFuture(null);
  }
}
