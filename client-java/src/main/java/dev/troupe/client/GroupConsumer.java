package dev.troupe.client;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.troupe.v1.ConsumeOpen;
import dev.troupe.v1.ConsumeRequest;
import dev.troupe.v1.ConsumeResponse;
import dev.troupe.v1.ConsumeStarted;
import dev.troupe.v1.EventStreamServiceGrpc;
import dev.troupe.v1.GroupDelivery;
import dev.troupe.v1.Nack;
import dev.troupe.v1.Settlement;
import io.grpc.CallOptions;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ClientResponseObserver;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A member of a consumer group: takes events, as many at a time as it has credits, and hands them
 * to a handler, until it is stopped.
 *
 * <p>When its connection breaks it comes back under the same id; what handlers are at goes on, and
 * what was settled without an answer is settled once more. An event whose deadline passed meanwhile
 * goes to another member, so a handler may run twice for one event. A second member with the same
 * id ends the first: {@link #done} fails with SESSION_REPLACED.
 *
 * <p>Thread-safe. The lock guards the fields and the order of what is sent; handlers are not called
 * under it.
 */
public final class GroupConsumer implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(GroupConsumer.class);
  private static final Duration LAST_ANSWERS = Duration.ofSeconds(5);
  private static final int MOST_PER_SETTLEMENT = 500;
  private static final int REASON_BYTES = 1024;

  private final ClientRuntime runtime;
  private final ConsumeOpen identity;
  private final GroupHandler handler;
  private final CompletableFuture<Void> done = new CompletableFuture<>();

  @GuardedBy("this")
  private final Backoff backoff = new Backoff();

  /** Those in hand, and those settled without an answer yet, by their delivery ids. */
  @GuardedBy("this")
  private final Map<String, Held> held = new LinkedHashMap<>();

  @GuardedBy("this")
  private boolean stopping;

  @GuardedBy("this")
  private @Nullable Stream stream;

  @GuardedBy("this")
  private Duration pause = Duration.ZERO;

  @GuardedBy("this")
  private @Nullable ScheduledFuture<?> extensions;

  private GroupConsumer(ClientRuntime runtime, ConsumeOpen identity, GroupHandler handler) {
    this.runtime = runtime;
    this.identity = identity;
    this.handler = handler;
  }

  /** A delivery in hand. */
  private static final class Held {
    final String id;

    /** The stream that gives the credit back by itself. */
    @Nullable Stream from;

    /** What the handler came to; null while it runs. */
    @Nullable Nack nack;

    boolean acknowledged;
    boolean sent;

    Held(String id, @Nullable Stream from) {
      this.id = id;
      this.from = from;
    }

    boolean isOver() {
      return acknowledged || nack != null;
    }
  }

  /** Its id in the group. */
  public String id() {
    return identity.getMemberId();
  }

  /** How many events it has in hand, those included whose end was not confirmed yet. */
  public synchronized int held() {
    return held.size();
  }

  /** Done when it was stopped; fails with {@link TroupeClientException} when it cannot go on. */
  public CompletableFuture<Void> done() {
    return done;
  }

  /**
   * Leaves the group when the handlers have finished, or after the grace: what is in hand then goes
   * to others at once. Until then events that were on their way still come.
   */
  public CompletableFuture<Void> stop(Duration grace) {
    synchronized (this) {
      stopping = true;
    }
    leaveIfIdle();
    later(this::leave, grace);
    return done;
  }

  /** Like {@link #stop} without a grace, without waiting for the end. */
  @Override
  public void close() {
    stop(Duration.ZERO);
  }

  private void leaveIfIdle() {
    synchronized (this) {
      if (!stopping || !held.isEmpty()) {
        return;
      }
    }
    leave();
  }

  private void leave() {
    boolean end;
    synchronized (this) {
      end = stream == null || !stream.started;
      if (!end && stream != null) {
        // The server gives back what is in hand, and answers with its own end of the stream.
        stream.halfClose();
      }
    }
    if (end) {
      end(null);
    } else {
      later(() -> end(null), LAST_ANSWERS);
    }
  }

  // The connection.

  private void connect() {
    Stream opened = new Stream();
    synchronized (this) {
      if (done.isDone()) {
        return;
      }
      stream = opened;
    }
    ClientCalls.asyncBidiStreamingCall(
        runtime
            .channel()
            .newCall(
                EventStreamServiceGrpc.getConsumeMethod(), CallOptions.DEFAULT.withWaitForReady()),
        opened);
    synchronized (this) {
      // What is still in hand takes credits until it is settled.
      opened.send(
          ConsumeRequest.newBuilder()
              .setOpen(
                  identity.toBuilder()
                      .setCredits(
                          stopping ? 0 : Math.max(0, identity.getCredits() - held.size()))));
    }
  }

  private void started(Stream from, ConsumeStarted response) {
    synchronized (this) {
      if (stream != from) {
        return;
      }
      from.started = true;
      backoff.reset();
      for (Held one : held.values()) {
        one.from = null;
        one.sent = false;
      }
      flush();
      extendEvery(Durations.of(response.getSettings().getAckDeadline()).dividedBy(3));
    }
    leaveIfIdle();
  }

  @GuardedBy("this")
  private void extendEvery(Duration interval) {
    if (extensions != null) {
      extensions.cancel(false);
    }
    long millis = Math.max(100, interval.toMillis());
    try {
      extensions =
          runtime.timer().scheduleAtFixedRate(this::extend, millis, millis, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException clientClosed) {
      log.debug("no extensions: the client is closed");
    }
  }

  private synchronized void extend() {
    if (stream == null || !stream.started || !stream.isReady()) {
      return;
    }
    List<Held> running = held.values().stream().filter(one -> !one.isOver()).toList();
    for (int i = 0; i < running.size(); i += MOST_PER_SETTLEMENT) {
      Settlement.Builder settlement = Settlement.newBuilder();
      running.stream()
          .skip(i)
          .limit(MOST_PER_SETTLEMENT)
          .forEach(one -> settlement.addExtend(one.id));
      stream.settle(settlement, List.of());
    }
  }

  /** Settles what is over and not on its way: together, while an answer is awaited. */
  @GuardedBy("this")
  private void flush() {
    if (stream == null || !stream.started || stream.isBusy()) {
      return;
    }
    Settlement.Builder settlement = Settlement.newBuilder();
    List<Held> some = new ArrayList<>();
    List<Held> nacked = new ArrayList<>();
    for (Held one : held.values()) {
      if (some.size() + nacked.size() == MOST_PER_SETTLEMENT) {
        break;
      }
      if (one.isOver() && !one.sent) {
        one.sent = true;
        if (one.nack != null) {
          settlement.addNack(one.nack);
          nacked.add(one);
        } else {
          settlement.addAck(one.id);
          some.add(one);
        }
      }
    }
    some.addAll(nacked);
    if (!some.isEmpty()) {
      stream.settle(settlement, some);
    }
  }

  private void settled(Stream from) {
    synchronized (this) {
      List<Held> some = from.questions.remove();
      if (stream != from) {
        return;
      }
      int elsewhere = 0;
      for (Held one : some) {
        held.remove(one.id);
        elsewhere += one.from == from ? 0 : 1;
      }
      if (elsewhere > 0 && !stopping) {
        from.send(ConsumeRequest.newBuilder().setCredits(elsewhere));
      }
      flush();
    }
    leaveIfIdle();
  }

  private void disconnected(Stream from, @Nullable TroupeClientException failure) {
    boolean left;
    Duration wait;
    synchronized (this) {
      if (stream != from) {
        return;
      }
      stream = null;
      left = from.halfClosed;
      wait = backoff.next().plus(pause);
      pause = Duration.ZERO;
    }
    if (left) {
      end(null);
    } else if (failure != null && !failure.endsOnlyTheStream()) {
      end(failure);
    } else {
      log.debug("member {} lost its stream, next try in {}", id(), wait, failure);
      later(this::connect, wait);
    }
  }

  private void end(@Nullable TroupeClientException failure) {
    Stream open;
    synchronized (this) {
      open = stream;
      stream = null;
      held.clear();
      if (extensions != null) {
        extensions.cancel(false);
        extensions = null;
      }
    }
    if (open != null) {
      open.cancel();
    }
    if (failure == null) {
      done.complete(null);
    } else {
      done.completeExceptionally(failure);
    }
  }

  private void later(Runnable what, Duration wait) {
    runtime.pauses().then(wait, what, () -> end(null));
  }

  // Events.

  private void arrived(Stream from, GroupDelivery delivery) {
    Held one = new Held(delivery.getDeliveryId(), from);
    synchronized (this) {
      if (stream != from || from.halfClosed) {
        return;
      }
      held.put(one.id, one);
    }
    CompletionStage<?> result;
    try {
      result = handler.handle(delivery);
    } catch (RuntimeException | Error thrown) {
      result = CompletableFuture.failedFuture(thrown);
    }
    result.whenComplete((value, thrown) -> finished(one, thrown));
  }

  private synchronized void finished(Held one, @Nullable Throwable thrown) {
    if (thrown == null) {
      one.acknowledged = true;
    } else {
      log.debug("{} was not taken", one.id, thrown);
      one.nack = nack(one.id, thrown);
    }
    flush();
  }

  private static Nack nack(String id, Throwable thrown) {
    Throwable cause =
        thrown instanceof CompletionException && thrown.getCause() != null
            ? thrown.getCause()
            : thrown;
    String reason = cause.getMessage() == null ? cause.toString() : cause.getMessage();
    Nack.Builder nack =
        Nack.newBuilder()
            .setDeliveryId(id)
            .setReason(Text.upTo(REASON_BYTES, reason.replaceAll("\\p{Cntrl}", " ")));
    if (cause instanceof EventRefusal refusal) {
      nack.setDead(refusal.isDead());
      if (refusal.delay() != null) {
        nack.setDelay(Durations.of(refusal.delay()));
      }
    }
    return nack.build();
  }

  /** One stream; what is sent is serialised by the consumer's lock. */
  private final class Stream implements ClientResponseObserver<ConsumeRequest, ConsumeResponse> {

    private static final int MOST_UNANSWERED = 4;

    final Deque<List<Held>> questions = new ArrayDeque<>();
    private @Nullable ClientCallStreamObserver<ConsumeRequest> up;
    boolean started;
    boolean halfClosed;

    @Override
    public void beforeStart(ClientCallStreamObserver<ConsumeRequest> stream) {
      up = stream;
      stream.setOnReadyHandler(
          () -> {
            synchronized (GroupConsumer.this) {
              if (GroupConsumer.this.stream == this) {
                flush();
              }
            }
          });
    }

    boolean isReady() {
      return up != null && up.isReady();
    }

    boolean isBusy() {
      return questions.size() >= MOST_UNANSWERED || !isReady();
    }

    void send(ConsumeRequest.Builder request) {
      if (up != null && !halfClosed) {
        up.onNext(request.build());
      }
    }

    void settle(Settlement.Builder settlement, List<Held> about) {
      if (!halfClosed) {
        questions.add(about);
        send(ConsumeRequest.newBuilder().setSettle(settlement));
      }
    }

    void halfClose() {
      if (up != null && !halfClosed) {
        halfClosed = true;
        up.onCompleted();
      }
    }

    void cancel() {
      if (up != null) {
        halfClosed = true;
        up.cancel("the member ends", null);
      }
    }

    @Override
    public void onNext(ConsumeResponse response) {
      switch (response.getMessageCase()) {
        case STARTED -> started(this, response.getStarted());
        case BATCH -> response.getBatch().getDeliveriesList().forEach(one -> arrived(this, one));
        case SETTLED -> settled(this);
        case GO_AWAY -> {
          synchronized (GroupConsumer.this) {
            pause = Durations.of(response.getGoAway().getRetryAfter());
          }
        }
        case PROGRESS, MESSAGE_NOT_SET -> {}
      }
    }

    @Override
    public void onError(Throwable failure) {
      disconnected(this, TroupeClientException.of(failure));
    }

    @Override
    public void onCompleted() {
      disconnected(this, null);
    }
  }

  /** Who a member is. Not thread-safe. */
  public static final class Builder {

    private final ClientRuntime runtime;
    private final ConsumeOpen.Builder identity = ConsumeOpen.newBuilder().setCredits(16);

    Builder(ClientRuntime runtime, String topic, String group) {
      this.runtime = runtime;
      identity.setNamespace(runtime.namespace()).setTopic(topic).setGroup(group);
    }

    /** Identity in the group, of one member at a time. Required. */
    public Builder id(String memberId) {
      identity.setMemberId(memberId);
      return this;
    }

    /** How many events it has in hand at a time: 1 to 10,000; 16 when not given. */
    public Builder credits(int count) {
      identity.setCredits(count);
      return this;
    }

    /** Joins the group. */
    public GroupConsumer start(GroupHandler handler) {
      if (identity.getMemberId().isEmpty()) {
        throw new IllegalStateException("id: missing (expected: a name of its own in the group)");
      }
      GroupConsumer consumer = new GroupConsumer(runtime, identity.build(), handler);
      consumer.connect();
      return consumer;
    }
  }
}
