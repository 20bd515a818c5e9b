package dev.troupe.server.event;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import com.google.protobuf.util.Durations;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.event.GroupTake.Member;
import dev.troupe.server.grpc.Checks;
import dev.troupe.server.grpc.Names;
import dev.troupe.server.grpc.StatusMapper;
import dev.troupe.v1.ConsumeOpen;
import dev.troupe.v1.ConsumeRequest;
import dev.troupe.v1.ConsumeResponse;
import dev.troupe.v1.ConsumeStarted;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.GoAway;
import dev.troupe.v1.GroupBatch;
import dev.troupe.v1.GroupDelivery;
import dev.troupe.v1.GroupProgress;
import dev.troupe.v1.SettleOutcomes;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * One member's stream: what it settles goes to the store, what is taken for it goes down, as its
 * credits allow and while it reads what it gets. It reads the member's next message only then too,
 * so neither side can fill the other's memory. When it breaks, what is in flight stays so until its
 * deadline; a settlement may come by another stream.
 *
 * <p>The lock guards the fields; neither the store nor the dispatcher is called under it.
 */
final class ConsumeStream implements StreamObserver<ConsumeRequest>, GroupTaker {

  /** About how large a message with several events gets. */
  private static final int BATCH_BYTES = 256 << 10;

  private static final int MOST_UNANSWERED = 64;
  private static final int MOST_CREDITS = 1_000_000;
  private static final Duration RETRY_ELSEWHERE = Duration.ofMillis(500);

  private enum Phase {
    EXPECTING_OPEN,
    OPENING,
    LIVE,
    CLOSED
  }

  private final ConsumeStreams host;
  private final ServerCallStreamObserver<ConsumeResponse> caller;

  @GuardedBy("this")
  private final Set<String> held = new LinkedHashSet<>();

  /** Done when all so far are answered, as answers come in the order of the settlements. */
  @GuardedBy("this")
  private CompletionStage<@Nullable Void> answers = CompletableFuture.completedFuture(null);

  @GuardedBy("this")
  private Phase phase = Phase.EXPECTING_OPEN;

  @GuardedBy("this")
  private boolean leaving;

  @GuardedBy("this")
  private boolean draining;

  @GuardedBy("this")
  private boolean waitingForReady;

  @GuardedBy("this")
  private int credits;

  @GuardedBy("this")
  private int reserved;

  @GuardedBy("this")
  private int unanswered;

  @GuardedBy("this")
  private long lastSentNanos;

  private volatile GroupDispatchers.@Nullable Use use;
  private volatile Member member = new Member("", 0);

  ConsumeStream(ConsumeStreams host, ServerCallStreamObserver<ConsumeResponse> caller) {
    this.host = host;
    this.caller = caller;
    caller.disableAutoRequest();
    caller.setOnReadyHandler(this::ready);
    caller.setOnCancelHandler(this::broken);
    // Also when gRPC ended the call itself, as when a message cannot be written.
    caller.setOnCloseHandler(this::broken);
    caller.request(1);
  }

  // What the member says.

  @Override
  public void onNext(ConsumeRequest request) {
    try {
      switch (request.getMessageCase()) {
        case OPEN -> open(request.getOpen());
        case CREDITS -> grant(request.getCredits());
        case SETTLE -> {
          requireLive();
          GroupChecks.settlement(request.getSettle());
          settle(GroupCalls.settlings(request.getSettle()));
          next();
        }
        case MESSAGE_NOT_SET -> throw violation("a message without content");
      }
    } catch (TroupeException refusal) {
      fail(refusal);
    }
  }

  private static TroupeException violation(String what) {
    return TroupeException.of(ErrorReason.ERROR_REASON_PROTOCOL_VIOLATION, what);
  }

  private synchronized void requireLive() {
    if (phase == Phase.EXPECTING_OPEN) {
      throw violation("expected to be opened by the first message");
    }
  }

  private void open(ConsumeOpen open) {
    synchronized (this) {
      if (phase == Phase.CLOSED) {
        return;
      }
      if (phase != Phase.EXPECTING_OPEN) {
        throw violation("opened twice");
      }
      GroupChecks.open(open);
      phase = Phase.OPENING;
      credits = open.getCredits();
    }
    host.store()
        .locate(Names.namespace(open.getNamespace()), open.getTopic(), open.getGroup())
        .thenCompose(
            group ->
                host.store()
                    .join(group, open.getMemberId())
                    .thenAccept(joined -> live(group, open.getMemberId(), joined)))
        .whenComplete(
            (live, failure) -> {
              if (failure != null) {
                fail(failure);
              }
            });
  }

  private void live(GroupId group, String id, GroupStore.Joined joined) {
    GroupDispatchers.Use entered = host.dispatchers().use(group);
    synchronized (this) {
      if (phase == Phase.CLOSED) {
        entered.release();
        return;
      }
      phase = Phase.LIVE;
      use = entered;
      member = new Member(id, joined.session());
      send(
          ConsumeResponse.newBuilder()
              .setStarted(ConsumeStarted.newBuilder().setSettings(joined.settings()))
              .build());
    }
    entered.dispatcher().enter(this, joined.version(), joined.settings());
    entered.listen();
    boolean over;
    synchronized (this) {
      over = phase == Phase.CLOSED;
    }
    if (over) {
      // It ended before it was in.
      entered.dispatcher().leave(this);
    } else if (host.isStopping()) {
      goAway();
    }
    next();
    leaveIfAnswered();
  }

  private void grant(int more) {
    requireLive();
    new Checks().range("credits", more, 1, GroupChecks.MOST_CREDITS).done();
    synchronized (this) {
      credits = Math.min(MOST_CREDITS, credits + more);
    }
    offer();
    next();
  }

  private void settle(List<Settling> all) {
    GroupDispatchers.Use entered = use;
    if (entered == null) {
      throw violation("settled before anything was delivered");
    }
    CompletionStage<SettleOutcomes> settled =
        host.calls().settle(entered.dispatcher().group(), all);
    CompletableFuture<@Nullable Void> answered = new CompletableFuture<>();
    CompletionStage<@Nullable Void> before;
    synchronized (this) {
      unanswered++;
      before = answers;
      answers = answered;
    }
    // Not under the lock: where the outcomes are there already, it is answered at once.
    before
        .thenCombine(settled, (done, outcomes) -> outcomes)
        .whenComplete(
            (outcomes, failure) -> {
              try {
                answer(all, outcomes, failure);
              } finally {
                answered.complete(null);
              }
            });
  }

  private void answer(
      List<Settling> all, @Nullable SettleOutcomes outcomes, @Nullable Throwable failure) {
    if (failure != null || outcomes == null) {
      // Nobody knows what became of it; the member settles once more by its next stream.
      fail(failure == null ? new IllegalStateException("no outcomes") : failure);
      return;
    }
    synchronized (this) {
      unanswered--;
      for (Settling one : all) {
        if (one.kind() != Settling.Kind.EXTEND && held.remove(one.delivery().text())) {
          credits++;
        }
      }
      send(ConsumeResponse.newBuilder().setSettled(outcomes).build());
    }
    offer();
    readNext();
    leaveIfAnswered();
  }

  /** Asks for the member's next message, but not while it leaves ours unread. */
  private void next() {
    synchronized (this) {
      waitingForReady = phase == Phase.LIVE;
    }
    readNext();
  }

  private void readNext() {
    boolean ask;
    synchronized (this) {
      ask = waitingForReady && caller.isReady() && unanswered < MOST_UNANSWERED;
      if (ask) {
        waitingForReady = false;
      }
    }
    if (ask) {
      caller.request(1);
    }
  }

  private void ready() {
    readNext();
    offer();
  }

  private void offer() {
    GroupDispatchers.Use entered = use;
    if (entered != null) {
      entered.dispatcher().offer();
    }
  }

  // How it ends.

  @Override
  public void onCompleted() {
    boolean nobody;
    synchronized (this) {
      leaving = true;
      nobody = phase == Phase.EXPECTING_OPEN;
      if (nobody) {
        phase = Phase.CLOSED;
        caller.onCompleted();
      }
    }
    if (nobody) {
      host.remove(this);
    } else {
      leaveIfAnswered();
    }
  }

  /** A member that left hears the outcomes of what it settled; the rest is for others. */
  private void leaveIfAnswered() {
    List<Settling> left;
    synchronized (this) {
      if (!leaving || unanswered > 0 || reserved > 0 || phase != Phase.LIVE) {
        return;
      }
      phase = Phase.CLOSED;
      left =
          held.stream()
              .map(
                  id ->
                      new Settling(Settling.Kind.LEFT, DeliveryId.parse(id), -1, "the member left"))
              .toList();
    }
    GroupDispatchers.Use entered = withdraw();
    if (entered == null) {
      return;
    }
    GroupId group = entered.dispatcher().group();
    host.calls()
        .settle(group, left)
        .thenCompose(settled -> host.store().leave(group, member.id(), member.session()))
        .whenComplete(
            (done, failure) -> {
              if (failure == null) {
                caller.onCompleted();
              } else {
                caller.onError(StatusMapper.toStatus(failure));
              }
            });
  }

  @Override
  public void onError(Throwable failure) {
    broken();
  }

  private void broken() {
    synchronized (this) {
      if (phase == Phase.CLOSED) {
        return;
      }
      phase = Phase.CLOSED;
    }
    withdraw();
  }

  @Override
  public void fail(Throwable failure) {
    synchronized (this) {
      if (phase == Phase.CLOSED) {
        return;
      }
      phase = Phase.CLOSED;
    }
    try {
      caller.onError(StatusMapper.toStatus(failure));
    } finally {
      withdraw();
    }
  }

  private GroupDispatchers.@Nullable Use withdraw() {
    host.remove(this);
    GroupDispatchers.Use entered = use;
    if (entered != null) {
      entered.dispatcher().leave(this);
      entered.release();
    }
    return entered;
  }

  @Override
  public void replaced() {
    fail(
        TroupeException.of(
            ErrorReason.ERROR_REASON_SESSION_REPLACED,
            "another stream of the same member joined the group"));
  }

  /** The server stops: nothing more is delivered, what was settled is answered. */
  void goAway() {
    CompletionStage<?> settled;
    synchronized (this) {
      if (phase == Phase.CLOSED || draining) {
        return;
      }
      draining = true;
      send(
          ConsumeResponse.newBuilder()
              .setGoAway(
                  GoAway.newBuilder()
                      .setReason(ErrorReason.ERROR_REASON_SHUTTING_DOWN)
                      .setRetryAfter(Durations.fromMillis(RETRY_ELSEWHERE.toMillis())))
              .build());
      settled = answers;
    }
    settled.whenComplete((answered, failure) -> fail(shuttingDown()));
  }

  private static TroupeException shuttingDown() {
    return TroupeException.shuttingDown("join on another one", RETRY_ELSEWHERE);
  }

  // What is taken for the member.

  @Override
  public Member member() {
    return member;
  }

  @Override
  public synchronized int free() {
    boolean takes = phase == Phase.LIVE && !draining && !leaving && caller.isReady();
    return takes ? credits : 0;
  }

  @Override
  public synchronized int outstanding() {
    return held.size() + reserved;
  }

  @Override
  public synchronized int reserve(int most) {
    int count = Math.min(most, free());
    credits -= count;
    reserved += count;
    return count;
  }

  @Override
  public void give(int count, List<GroupDelivery> deliveries) {
    boolean tooLate;
    synchronized (this) {
      reserved -= count;
      credits += count;
      tooLate = phase != Phase.LIVE || draining || leaving;
      if (!tooLate) {
        credits -= deliveries.size();
        send(deliveries);
      }
    }
    GroupDispatchers.Use entered = use;
    if (tooLate && entered != null) {
      entered.dispatcher().giveBack(deliveries);
    }
    leaveIfAnswered();
  }

  @GuardedBy("this")
  private void send(List<GroupDelivery> deliveries) {
    GroupBatch.Builder batch = GroupBatch.newBuilder();
    int bytes = 0;
    for (GroupDelivery delivery : deliveries) {
      held.add(delivery.getDeliveryId());
      int size = delivery.getSerializedSize();
      if (bytes > 0 && bytes + size > BATCH_BYTES) {
        send(ConsumeResponse.newBuilder().setBatch(batch).build());
        batch.clear();
        bytes = 0;
      }
      batch.addDeliveries(delivery);
      bytes += size;
    }
    if (batch.getDeliveriesCount() > 0) {
      send(ConsumeResponse.newBuilder().setBatch(batch).build());
    }
  }

  /** Tells a member that hears nothing how far its group is. */
  void tick(long nowNanos, long idleNanos) {
    GroupDispatchers.Use entered = use;
    synchronized (this) {
      if (entered != null
          && phase == Phase.LIVE
          && nowNanos - lastSentNanos >= idleNanos
          && caller.isReady()) {
        send(
            ConsumeResponse.newBuilder()
                .setProgress(GroupProgress.newBuilder().setLag(entered.dispatcher().lag()))
                .build());
      }
    }
  }

  @GuardedBy("this")
  private void send(ConsumeResponse response) {
    if (phase == Phase.LIVE) {
      lastSentNanos = host.nanos();
      caller.onNext(response);
    }
  }
}
