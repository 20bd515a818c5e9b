package dev.troupe.server.task;

import com.google.protobuf.util.Durations;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.grpc.Checks;
import dev.troupe.server.grpc.StatusMapper;
import dev.troupe.server.task.HeldAttempts.Held;
import dev.troupe.v1.Attempt;
import dev.troupe.v1.Drain;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.LeasedTask;
import dev.troupe.v1.ReportOutcome;
import dev.troupe.v1.StopAttempt;
import dev.troupe.v1.StopReason;
import dev.troupe.v1.WorkRequest;
import dev.troupe.v1.WorkResponse;
import dev.troupe.v1.WorkerWelcome;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One worker's stream: what it says goes to the store, what is leased for it goes down.
 *
 * <p>The stream holds attempts up to its slots. It reads the worker's next message only while the
 * worker reads what it is sent, so neither side can fill the other's memory. When it breaks, what
 * it holds stays leased for the grace, and the same worker may pick it up on any server by a stream
 * of a higher epoch; every change for this stream is made under its epoch, so a late one does no
 * harm.
 *
 * <p>The lock guards the fields; neither the store nor the pools are called under it.
 */
final class WorkStream implements StreamObserver<WorkRequest>, LeaseTaker {

  private static final Logger log = LoggerFactory.getLogger(WorkStream.class);

  private enum Phase {
    EXPECTING_HELLO,
    OPENING,
    LIVE,
    CLOSED
  }

  private final WorkStreamHost host;
  private final ServerCallStreamObserver<WorkResponse> worker;
  private final HeldAttempts held = new HeldAttempts();

  private Phase phase = Phase.EXPECTING_HELLO;
  private WorkerIdentity identity = WorkerIdentity.NOBODY;
  private List<LeasePools.Membership> memberships = List.of();
  private int slots;
  private int reserved;
  private boolean draining;
  private boolean leaving;
  private boolean waitingForReady;
  private int unanswered;
  private int turn;

  WorkStream(WorkStreamHost host, ServerCallStreamObserver<WorkResponse> worker) {
    this.host = host;
    this.worker = worker;
    worker.disableAutoRequest();
    worker.setOnReadyHandler(this::ready);
    worker.setOnCancelHandler(() -> broken("the stream broke"));
    // Also when gRPC ended the call itself, as when a message cannot be written.
    worker.setOnCloseHandler(() -> broken("the stream broke"));
    worker.request(1);
  }

  // What the worker says.

  @Override
  public void onNext(WorkRequest request) {
    try {
      handle(request);
    } catch (TroupeException refusal) {
      close(refusal);
    }
  }

  private void handle(WorkRequest request) {
    if (request.getMessageCase() == WorkRequest.MessageCase.HELLO) {
      open(request);
      return;
    }
    requireLive();
    switch (request.getMessageCase()) {
      case SET_SLOTS -> setSlots(request.getSetSlots().getSlots());
      case DELIVERY_ACK -> acknowledged(request.getDeliveryAck().getAttemptsList());
      case HEARTBEAT -> heartbeat();
      case PROGRESS, COMPLETE, FAIL, RELEASE ->
          report(AttemptReport.of(request, host, this::cancelled));
      case HELLO, MESSAGE_NOT_SET ->
          throw TroupeException.of(
              ErrorReason.ERROR_REASON_PROTOCOL_VIOLATION, "a message without content");
    }
    next();
  }

  private synchronized void requireLive() {
    if (phase == Phase.EXPECTING_HELLO) {
      throw TroupeException.of(
          ErrorReason.ERROR_REASON_PROTOCOL_VIOLATION, "expected a hello as the first message");
    }
  }

  /** Asks for the worker's next message, but not while it leaves ours unread. */
  private void next() {
    if (worker.isReady()) {
      worker.request(1);
    } else {
      synchronized (this) {
        waitingForReady = true;
      }
      // It may have become ready just before the flag was up.
      ready();
    }
  }

  private void ready() {
    boolean ask;
    synchronized (this) {
      ask = waitingForReady && worker.isReady();
      if (ask) {
        waitingForReady = false;
      }
    }
    if (ask) {
      worker.request(1);
    }
    offer();
  }

  private void open(WorkRequest request) {
    synchronized (this) {
      if (phase != Phase.EXPECTING_HELLO) {
        throw TroupeException.of(
            ErrorReason.ERROR_REASON_PROTOCOL_VIOLATION, "a second hello on the same stream");
      }
      TaskChecks.check(request.getHello());
      phase = Phase.OPENING;
    }
    host.opening()
        .open(request.getHello())
        .whenComplete(
            (opened, failure) -> {
              if (failure != null) {
                close(failure);
              } else {
                live(opened);
              }
            });
  }

  private void live(WorkerOpening.Opened opened) {
    if (!welcome(opened)) {
      host.giveBack(opened.identity(), host.config().streamGrace(), "the stream broke");
      return;
    }
    List<LeasePools.Membership> joined = new ArrayList<>();
    identity
        .epochs()
        .forEach(
            (queue, epoch) -> {
              host.streams().add(queue, identity.worker(), this);
              joined.add(
                  host.pools().join(queue, identity.capabilities(), host.deliveryWindow(), this));
            });
    boolean closedMeanwhile;
    synchronized (this) {
      memberships = joined;
      closedMeanwhile = phase == Phase.CLOSED;
    }
    if (closedMeanwhile) {
      withdraw();
    } else if (host.stopping()) {
      drain();
    }
    next();
  }

  /** Begins to live, unless the stream broke meanwhile. */
  private synchronized boolean welcome(WorkerOpening.Opened opened) {
    if (phase == Phase.CLOSED) {
      return false;
    }
    identity = opened.identity();
    slots = opened.slots();
    for (WorkerOpening.Kept kept : opened.kept()) {
      Held one = new Held(kept.queue(), kept.attempt(), host.nanos());
      one.acknowledged = true;
      one.confirmed = true;
      held.add(one);
    }
    phase = Phase.LIVE;
    send(
        WorkResponse.newBuilder()
            .setWelcome(
                WorkerWelcome.newBuilder()
                    .setSessionToken(identity.newestEpoch())
                    .setHeartbeatInterval(
                        Durations.fromMillis(host.config().heartbeatInterval().toMillis()))
                    .addAllHeld(opened.kept().stream().map(WorkerOpening.Kept::attempt).toList()))
            .build());
    return true;
  }

  private void setSlots(int wanted) {
    new Checks().range("set_slots.slots", wanted, 0, TaskChecks.MOST_SLOTS).done();
    synchronized (this) {
      slots = wanted;
    }
    offer();
  }

  private synchronized void acknowledged(List<Attempt> attempts) {
    for (Attempt attempt : attempts) {
      Held one = held.find(attempt);
      if (one != null) {
        one.acknowledged = true;
      }
    }
  }

  private void heartbeat() {
    extend(held -> true);
    // A worker without tasks is alive too, and has to hear when it was replaced.
    boolean nothingHeld;
    Map<QueueId, Long> epochs;
    synchronized (this) {
      nothingHeld = held.size() == 0;
      epochs = identity.epochs();
    }
    if (nothingHeld) {
      epochs.forEach((queue, epoch) -> extend(queue, List.of()));
    }
  }

  private void extend(Predicate<Held> which) {
    Map<QueueId, List<Held>> selected;
    synchronized (this) {
      selected = held.select(which);
    }
    selected.forEach(
        (queue, all) -> {
          for (int from = 0; from < all.size(); from += TaskStore.MOST_PER_SCRIPT) {
            extend(
                queue, all.subList(from, Math.min(all.size(), from + TaskStore.MOST_PER_SCRIPT)));
          }
        });
  }

  private void extend(QueueId queue, List<Held> some) {
    List<Attempt> attempts = some.stream().map(one -> one.attempt).toList();
    host.store()
        .extend(queue, identity.worker(), epoch(queue), attempts, Durations.ZERO)
        .whenComplete(
            (extensions, failure) -> {
              if (failure != null) {
                if (isReplaced(failure)) {
                  replaced();
                }
                // Otherwise the next heartbeat tries again; the lease outlasts several.
                return;
              }
              for (int i = 0; i < some.size(); i++) {
                extended(some.get(i), extensions.get(i));
              }
            });
  }

  private void extended(Held one, Extension extension) {
    if (extension instanceof Extension.Extended extended) {
      synchronized (this) {
        one.confirmed = true;
      }
      if (extended.cancelRequested()) {
        stop(one, StopReason.STOP_REASON_CANCELLED);
      }
    } else if (!ending(one)) {
      stop(one, StopReason.STOP_REASON_LEASE_LOST);
      freed(one.attempt);
    }
  }

  /** Whether the worker has reported the end of it: then the outcome says all there is to say. */
  private synchronized boolean ending(Held one) {
    return one.ending || held.find(one.attempt) != one;
  }

  /** Does what a report asks for and says what became of it, exactly once. */
  private void report(AttemptReport report) {
    Attempt attempt = report.attempt();
    CompletionStage<?> done;
    synchronized (this) {
      unanswered++;
    }
    if (report.isEnding()) {
      markEnding(attempt, true);
    }
    try {
      report.check().run();
      done =
          host.store()
              .locate(identity.namespace(), attempt.getQueue())
              .thenCompose(report.change()::apply);
    } catch (TroupeException refusal) {
      done = CompletableFuture.failedFuture(refusal);
    }
    done.whenComplete(
        (result, failure) -> {
          ReportOutcome.Builder outcome =
              ReportOutcome.newBuilder().setAttempt(attempt).setKind(report.kind());
          if (failure != null) {
            outcome.setError(StatusMapper.toItemError(failure));
          }
          send(WorkResponse.newBuilder().setOutcome(outcome).build());
          answered();
          if (report.hasEnded(failure == null, outcome.getError().getReason())) {
            freed(attempt);
          } else if (report.isEnding()) {
            markEnding(attempt, false);
          }
        });
  }

  private synchronized void markEnding(Attempt attempt, boolean ending) {
    Held one = held.find(attempt);
    if (one != null) {
      one.ending = ending;
    }
  }

  @Override
  public void onCompleted() {
    synchronized (this) {
      leaving = true;
    }
    leaveIfAnswered();
  }

  private void answered() {
    synchronized (this) {
      unanswered--;
    }
    leaveIfAnswered();
  }

  /** A worker that left still gets the outcome of what it reported before. */
  private void leaveIfAnswered() {
    WorkerIdentity who;
    synchronized (this) {
      if (!leaving || unanswered > 0 || phase == Phase.CLOSED) {
        return;
      }
      who = identity;
      phase = Phase.CLOSED;
      worker.onCompleted();
    }
    withdraw();
    host.giveBack(who, java.time.Duration.ZERO, "the worker left");
  }

  @Override
  public void onError(Throwable failure) {
    broken("the stream broke");
  }

  private void broken(String reason) {
    WorkerIdentity who;
    synchronized (this) {
      if (phase == Phase.CLOSED) {
        return;
      }
      phase = Phase.CLOSED;
      who = identity;
    }
    withdraw();
    log.debug("worker {}: {}", who.worker(), reason);
    host.giveBack(who, host.config().streamGrace(), reason);
  }

  /** Ends the stream from our side; what it holds stays leased, so that the worker can return. */
  private void close(Throwable failure) {
    WorkerIdentity who = end(failure);
    if (who != null) {
      host.giveBack(who, host.config().streamGrace(), "the stream was closed");
    }
  }

  private @Nullable WorkerIdentity end(Throwable failure) {
    WorkerIdentity who;
    synchronized (this) {
      if (phase == Phase.CLOSED) {
        return null;
      }
      phase = Phase.CLOSED;
      who = identity;
    }
    try {
      worker.onError(StatusMapper.toStatus(failure));
    } finally {
      withdraw();
    }
    return who;
  }

  private void withdraw() {
    List<LeasePools.Membership> leaving;
    synchronized (this) {
      leaving = memberships;
      memberships = List.of();
    }
    leaving.forEach(LeasePools.Membership::leave);
    identity
        .epochs()
        .forEach((queue, epoch) -> host.streams().remove(queue, identity.worker(), this));
  }

  // What is leased for the worker.

  @Override
  public String worker() {
    return identity.worker();
  }

  @Override
  public long epoch(QueueId queue) {
    return identity.epochs().getOrDefault(queue, 0L);
  }

  @Override
  public synchronized int reserve(int most) {
    if (phase != Phase.LIVE || draining || leaving || !worker.isReady()) {
      return 0;
    }
    int free = Math.max(0, Math.min(most, slots - held.size() - reserved));
    reserved += free;
    return free;
  }

  @Override
  public void settle(QueueId queue, int count, List<LeasedTask> tasks) {
    boolean tooLate;
    boolean drained;
    synchronized (this) {
      reserved -= count;
      tooLate = phase == Phase.CLOSED;
      if (!tooLate) {
        for (LeasedTask task : tasks) {
          held.add(new Held(queue, task.getAttempt(), host.nanos()));
          send(WorkResponse.newBuilder().setTask(task).build());
        }
      }
      drained = isDrained();
    }
    if (tooLate) {
      tasks.forEach(task -> giveBack(queue, task.getAttempt()));
    } else if (drained) {
      close(shuttingDown());
    } else if (tasks.size() < count) {
      // Slots set aside in vain may be of use in another queue.
      offerOthers(queue);
    }
  }

  private void giveBack(QueueId queue, Attempt attempt) {
    host.store()
        .release(queue, attempt, Durations.ZERO, "undelivered")
        .whenComplete(
            (state, failure) -> {
              if (failure != null) {
                log.debug("{} stays leased until its window ends", attempt, failure);
              }
            });
  }

  private void freed(Attempt attempt) {
    boolean removed;
    boolean drained;
    synchronized (this) {
      removed = held.remove(attempt);
      drained = isDrained();
    }
    if (drained) {
      close(shuttingDown());
    } else if (removed) {
      offer();
    }
  }

  private synchronized boolean isDrained() {
    return draining && held.size() == 0 && reserved == 0;
  }

  /** Tells the pools of free slots, beginning with another one each time. */
  private void offer() {
    List<LeasePools.Membership> all;
    int first;
    synchronized (this) {
      all = memberships;
      first = turn++;
    }
    for (int i = 0; i < all.size(); i++) {
      all.get(Math.floorMod(first + i, all.size())).offer();
    }
  }

  private void offerOthers(QueueId served) {
    List<LeasePools.Membership> all;
    synchronized (this) {
      all = memberships;
    }
    for (LeasePools.Membership membership : all) {
      if (!membership.queue().equals(served)) {
        membership.offer();
      }
    }
  }

  // What happens elsewhere.

  @Override
  public void replaced() {
    close(
        TroupeException.of(
            ErrorReason.ERROR_REASON_SESSION_REPLACED,
            "another stream with the same worker id was opened"));
  }

  private static boolean isReplaced(Throwable failure) {
    Throwable cause = failure.getCause() == null ? failure : failure.getCause();
    return cause instanceof TroupeException refusal
        && refusal.reason() == ErrorReason.ERROR_REASON_SESSION_REPLACED;
  }

  /** A task that this worker runs was cancelled. */
  void cancelled(QueueId queue, String taskId, long token) {
    cancelled(
        Attempt.newBuilder()
            .setQueue(queue.name())
            .setTaskId(taskId)
            .setFencingToken(token)
            .build());
  }

  private void cancelled(Attempt attempt) {
    Held one;
    synchronized (this) {
      one = held.find(attempt);
    }
    if (one != null) {
      stop(one, StopReason.STOP_REASON_CANCELLED);
    }
  }

  private void stop(Held one, StopReason reason) {
    synchronized (this) {
      if (one.stopSent && reason == StopReason.STOP_REASON_CANCELLED) {
        return;
      }
      one.stopSent = true;
    }
    send(
        WorkResponse.newBuilder()
            .setStop(StopAttempt.newBuilder().setAttempt(one.attempt).setReason(reason))
            .build());
  }

  /**
   * Looks after deliveries: one that stays unacknowledged is given back, and those acknowledged
   * since the last look are recorded as arrived. Called about once a second; a task that ends
   * sooner costs no write.
   */
  void lookAfterDeliveries() {
    long tooOld = host.nanos() - host.config().ackTimeout().toNanos();
    List<Held> undelivered = new ArrayList<>();
    synchronized (this) {
      if (phase != Phase.LIVE) {
        return;
      }
      held.select(one -> !one.acknowledged && one.deliveredNanos - tooOld < 0)
          .values()
          .forEach(undelivered::addAll);
    }
    for (Held one : undelivered) {
      stop(one, StopReason.STOP_REASON_LEASE_LOST);
      giveBack(one.queue, one.attempt);
      freed(one.attempt);
    }
    extend(one -> one.acknowledged && !one.confirmed);
  }

  /** The server stops: no more tasks, and the stream ends when those in hand have. */
  void drain() {
    boolean idle;
    synchronized (this) {
      if (phase != Phase.LIVE || draining) {
        return;
      }
      draining = true;
      idle = isDrained();
      send(
          WorkResponse.newBuilder()
              .setDrain(
                  Drain.newBuilder()
                      .setReason("the server is stopping")
                      .setGrace(Durations.fromMillis(host.config().drainGrace().toMillis())))
              .build());
    }
    if (idle) {
      close(shuttingDown());
    }
  }

  /**
   * Ends the stream because the server stops. What is held stays leased as it is: the worker is
   * well and goes on, and it may take longer than the grace until a server is there again.
   */
  void stopNow() {
    end(shuttingDown());
  }

  private static TroupeException shuttingDown() {
    return TroupeException.shuttingDown("connect to another one", java.time.Duration.ofSeconds(1));
  }

  private synchronized void send(WorkResponse response) {
    if (phase != Phase.CLOSED) {
      worker.onNext(response);
    }
  }
}
