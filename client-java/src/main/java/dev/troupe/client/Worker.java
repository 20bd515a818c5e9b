package dev.troupe.client;

import com.google.protobuf.ByteString;
import dev.troupe.v1.Attempt;
import dev.troupe.v1.AttemptProgress;
import dev.troupe.v1.DeliveryAck;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.Failure;
import dev.troupe.v1.LeasedTask;
import dev.troupe.v1.ReportKind;
import dev.troupe.v1.ReportOutcome;
import dev.troupe.v1.SetSlots;
import dev.troupe.v1.StopAttempt;
import dev.troupe.v1.StopReason;
import dev.troupe.v1.TaskQueueServiceGrpc;
import dev.troupe.v1.WorkRequest;
import dev.troupe.v1.WorkerHeartbeat;
import dev.troupe.v1.WorkerHello;
import dev.troupe.v1.WorkerWelcome;
import io.grpc.CallOptions;
import io.grpc.stub.ClientCalls;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes tasks from queues and hands them to a handler, as many at a time as it has slots, until it
 * is stopped.
 *
 * <p>When its connection breaks it comes back under the same identity and names what it holds, so
 * that work in hand goes on; a report that the server did not answer is sent again. After the
 * stream's grace (5 seconds) the server gives tasks to other workers, and handlers of such tasks
 * are stopped when the worker is back. A second worker with the same id ends the first: {@link
 * #done} fails with SESSION_REPLACED and its handlers are stopped.
 *
 * <p>Thread-safe. The lock guards the fields and the order of what is sent; handlers are neither
 * called nor stopped under it.
 */
public final class Worker implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(Worker.class);

  /** How long the server is given to answer the last reports of a worker that ends. */
  private static final Duration LAST_ANSWERS = Duration.ofSeconds(5);

  private static final Duration REPORT_AGAIN = Duration.ofMillis(500);

  private enum Phase {
    WORKING,
    STOPPING,
    ENDED
  }

  private final ClientRuntime runtime;
  private final WorkerHello identity;
  private final AsyncTaskHandler handler;
  private final CompletableFuture<Void> done = new CompletableFuture<>();
  private final Backoff backoff = new Backoff();
  private final Map<Attempt, RunningTask> running = new LinkedHashMap<>();

  private Phase phase = Phase.WORKING;
  private @Nullable WorkConnection connection;
  private @Nullable ScheduledFuture<?> heartbeats;

  private Worker(ClientRuntime runtime, WorkerHello identity, AsyncTaskHandler handler) {
    this.runtime = runtime;
    this.identity = identity;
    this.handler = handler;
  }

  /** Its identity, the same across reconnects. */
  public String id() {
    return identity.getWorkerId();
  }

  /** How many tasks it holds, those included whose end the server has not confirmed yet. */
  public synchronized int held() {
    return running.size();
  }

  /**
   * Done when the worker was stopped; fails with {@link TroupeClientException} when it cannot go
   * on, such as after SESSION_REPLACED or when the server refuses what it says of itself.
   */
  public CompletableFuture<Void> done() {
    return done;
  }

  /**
   * Takes no more tasks and ends when those in hand have, or after the grace: what is in hand then
   * is given back without a failure, and its handlers are stopped. Idempotent; of several graces
   * the earliest end counts.
   */
  public CompletableFuture<Void> stop(Duration grace) {
    synchronized (this) {
      if (phase == Phase.WORKING) {
        phase = Phase.STOPPING;
        if (connection != null && connection.welcomed) {
          connection.send(
              WorkRequest.newBuilder().setSetSlots(SetSlots.getDefaultInstance()).build());
        }
      }
    }
    endIfIdle();
    later(this::giveEverythingBack, grace);
    return done;
  }

  /** Like {@link #stop} without a grace, and waits for it. */
  @Override
  public void close() {
    try {
      stop(Duration.ZERO).get(2 * LAST_ANSWERS.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException ended) {
      log.debug("worker {} had ended before", id(), ended);
    } catch (TimeoutException e) {
      end(null);
    } catch (InterruptedException e) {
      end(null);
      Thread.currentThread().interrupt();
    }
  }

  private void giveEverythingBack() {
    List<RunningTask> unfinished = new ArrayList<>();
    synchronized (this) {
      for (RunningTask task : running.values()) {
        if (!task.hasEnded()) {
          task.ended(Reports.release(task.attempt(), Duration.ZERO, "the worker stops"));
          sendReport(task);
          unfinished.add(task);
        }
      }
    }
    unfinished.forEach(task -> task.stop(StopReason.STOP_REASON_LEASE_LOST));
    endIfIdle();
    later(() -> end(null), LAST_ANSWERS);
  }

  // The connection.

  private void connect() {
    WorkConnection opened = new WorkConnection(this);
    synchronized (this) {
      if (phase == Phase.ENDED) {
        return;
      }
      connection = opened;
    }
    ClientCalls.asyncBidiStreamingCall(
        runtime
            .channel()
            .newCall(TaskQueueServiceGrpc.getWorkMethod(), CallOptions.DEFAULT.withWaitForReady()),
        opened);
    synchronized (this) {
      opened.send(
          WorkRequest.newBuilder()
              .setHello(
                  identity.toBuilder()
                      .setSlots(phase == Phase.WORKING ? identity.getSlots() : 0)
                      .addAllHeld(running.keySet()))
              .build());
    }
  }

  void welcomed(WorkConnection from, WorkerWelcome welcome) {
    List<RunningTask> lost = new ArrayList<>();
    synchronized (this) {
      if (connection != from) {
        return;
      }
      from.welcomed = true;
      backoff.reset();
      Set<Attempt> kept = Set.copyOf(welcome.getHeldList());
      for (RunningTask task : List.copyOf(running.values())) {
        task.told();
        if (task.hasEnded()) {
          // Not ours any more may just mean that the report was taken and its answer lost.
          sendReport(task);
        } else if (!kept.contains(task.attempt())) {
          running.remove(task.attempt());
          lost.add(task);
        } else {
          sendUntold(task);
        }
      }
      if (phase == Phase.STOPPING) {
        // It may have begun to stop after the hello was sent.
        from.send(WorkRequest.newBuilder().setSetSlots(SetSlots.getDefaultInstance()).build());
      }
      beatEvery(Durations.of(welcome.getHeartbeatInterval()));
    }
    lost.forEach(task -> task.stop(StopReason.STOP_REASON_LEASE_LOST));
    endIfIdle();
  }

  private void beatEvery(Duration interval) {
    long millis = Math.max(100, interval.toMillis());
    stopHeartbeats();
    try {
      heartbeats =
          runtime.timer().scheduleAtFixedRate(this::beat, millis, millis, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException clientClosed) {
      log.debug("no heartbeats: the client is closed");
    }
  }

  private synchronized void beat() {
    // A full stream holds a heartbeat already.
    if (connection != null && connection.welcomed && connection.isReady()) {
      connection.send(
          WorkRequest.newBuilder().setHeartbeat(WorkerHeartbeat.getDefaultInstance()).build());
    }
  }

  private void stopHeartbeats() {
    if (heartbeats != null) {
      heartbeats.cancel(false);
      heartbeats = null;
    }
  }

  void disconnected(WorkConnection which, @Nullable TroupeClientException failure) {
    boolean finished;
    Duration wait;
    synchronized (this) {
      if (connection != which) {
        return;
      }
      connection = null;
      stopHeartbeats();
      finished = phase == Phase.STOPPING && running.isEmpty();
      wait = backoff.next();
    }
    if (finished) {
      end(null);
    } else if (failure != null && !failure.endsOnlyTheStream()) {
      end(failure);
    } else {
      log.debug("worker {} lost its stream, next try in {}", id(), wait, failure);
      later(this::connect, wait);
    }
  }

  private void endIfIdle() {
    boolean end = false;
    synchronized (this) {
      if (phase != Phase.STOPPING || !running.isEmpty()) {
        return;
      }
      if (connection != null && connection.welcomed) {
        // The server answers with its own end of the stream.
        connection.halfClose();
      } else {
        end = true;
      }
    }
    if (end) {
      end(null);
    }
  }

  private void end(@Nullable TroupeClientException failure) {
    List<RunningTask> left;
    WorkConnection open;
    synchronized (this) {
      if (phase == Phase.ENDED) {
        return;
      }
      phase = Phase.ENDED;
      left = List.copyOf(running.values());
      running.clear();
      open = connection;
      connection = null;
      stopHeartbeats();
    }
    if (open != null) {
      open.cancel();
    }
    left.forEach(task -> task.stop(StopReason.STOP_REASON_LEASE_LOST));
    if (failure == null) {
      done.complete(null);
    } else {
      done.completeExceptionally(failure);
    }
  }

  private void later(Runnable what, Duration wait) {
    runtime.pauses().then(wait, what, () -> end(null));
  }

  // Tasks.

  void arrived(WorkConnection from, LeasedTask leased) {
    RunningTask task = new RunningTask(this, leased);
    synchronized (this) {
      if (connection != from || from.halfClosed) {
        // The server gives it back, with all else that this stream held.
        return;
      }
      from.send(
          WorkRequest.newBuilder()
              .setDeliveryAck(DeliveryAck.newBuilder().addAttempts(leased.getAttempt()))
              .build());
      if (running.putIfAbsent(leased.getAttempt(), task) != null) {
        return;
      }
      if (phase == Phase.STOPPING) {
        task.ended(Reports.release(leased.getAttempt(), Duration.ZERO, "the worker stops"));
        sendReport(task);
        return;
      }
    }
    begin(task);
  }

  private void begin(RunningTask task) {
    CompletionStage<ByteString> result;
    try {
      result = handler.handle(task);
    } catch (RuntimeException | Error thrown) {
      result = CompletableFuture.failedFuture(thrown);
    }
    result.whenComplete((value, thrown) -> finished(task, value, thrown));
  }

  private synchronized void finished(
      RunningTask task, @Nullable ByteString result, @Nullable Throwable thrown) {
    if (running.get(task.attempt()) != task || task.hasEnded()) {
      return;
    }
    if (thrown != null) {
      log.debug("task {} did not succeed", task.attempt().getTaskId(), thrown);
    }
    task.ended(Reports.of(task.attempt(), result, thrown, task.stopped().getNow(null)));
    sendReport(task);
  }

  private void sendReport(RunningTask task) {
    if (connection != null && connection.welcomed && task.report() != null) {
      connection.send(task.report());
    }
  }

  void outcome(WorkConnection from, ReportOutcome outcome) {
    RunningTask lost = null;
    synchronized (this) {
      RunningTask task = running.get(outcome.getAttempt());
      if (connection != from || task == null) {
        return;
      }
      TroupeClientException refusal =
          outcome.hasError() ? TroupeClientException.of(outcome.getError()) : null;
      if (outcome.getKind() == ReportKind.REPORT_KIND_PROGRESS) {
        task.told();
        // After a report of the end, only its own outcome counts.
        if (refusal != null && isLost(refusal.reason()) && !task.hasEnded()) {
          running.remove(task.attempt());
          lost = task;
        } else {
          sendUntold(task);
        }
      } else if (refusal != null && refusal.isPassing()) {
        reportAgain(task);
      } else if (refusal != null
          && outcome.getKind() == ReportKind.REPORT_KIND_COMPLETE
          && !isLost(refusal.reason())) {
        // Such as a result that is too large: no attempt would do better.
        task.ended(Reports.fail(task.attempt(), resultRefused(refusal)));
        sendReport(task);
      } else {
        if (refusal != null) {
          log.warn("the end of {} was not taken: {}", task.attempt(), refusal.getMessage());
        }
        running.remove(task.attempt());
      }
    }
    if (lost != null) {
      lost.stop(StopReason.STOP_REASON_LEASE_LOST);
    }
    endIfIdle();
  }

  private static boolean isLost(ErrorReason reason) {
    return switch (reason) {
      case ERROR_REASON_STALE_LEASE, ERROR_REASON_TASK_NOT_FOUND, ERROR_REASON_RESULT_CONFLICT ->
          true;
      default -> false;
    };
  }

  private static Failure resultRefused(TroupeClientException refusal) {
    return Failure.newBuilder()
        .setKind("result_refused")
        .setMessage(Text.upTo(Text.MESSAGE_BYTES, String.valueOf(refusal.getMessage())))
        .setNonRetryable(true)
        .build();
  }

  private void reportAgain(RunningTask task) {
    later(
        () -> {
          synchronized (this) {
            if (running.get(task.attempt()) == task) {
              sendReport(task);
            }
          }
        },
        REPORT_AGAIN);
  }

  void stopped(StopAttempt stop) {
    RunningTask task;
    synchronized (this) {
      task = running.get(stop.getAttempt());
      if (task != null && task.hasEnded()) {
        // The outcome of the report says what became of it.
        return;
      }
      if (stop.getReason() == StopReason.STOP_REASON_LEASE_LOST) {
        running.remove(stop.getAttempt());
      }
    }
    if (task != null) {
      task.stop(stop.getReason());
    }
    endIfIdle();
  }

  /** Takes in what a handler has to tell, and sends it when nothing older is on its way. */
  synchronized void tell(RunningTask task, Consumer<AttemptProgress.Builder> change) {
    if (running.get(task.attempt()) == task && !task.hasEnded()) {
      change.accept(task.untold());
      sendUntold(task);
    }
  }

  private void sendUntold(RunningTask task) {
    if (connection == null || !connection.welcomed || !connection.isReady()) {
      return;
    }
    WorkRequest untold = task.takeUntold();
    if (untold != null) {
      connection.send(untold);
    }
  }

  /** The stream takes messages again. */
  synchronized void ready(WorkConnection which) {
    if (connection == which) {
      running.values().forEach(this::sendUntold);
    }
  }

  /** Who a worker is and what it does. Not thread-safe. */
  public static final class Builder {

    private final ClientRuntime runtime;
    private final WorkerHello.Builder identity = WorkerHello.newBuilder().setSlots(1);
    private final TreeSet<String> capabilities = new TreeSet<>();
    private final TreeMap<String, String> labels = new TreeMap<>();

    Builder(ClientRuntime runtime, String... queues) {
      this.runtime = runtime;
      identity.setNamespace(runtime.namespace()).addAllQueues(List.of(queues));
    }

    /** Stable identity of the worker, the same after a restart of its process. Required. */
    public Builder id(String workerId) {
      identity.setWorkerId(Objects.requireNonNull(workerId));
      return this;
    }

    /** How many tasks it holds at a time: 1 to 1000; 1 when not given. */
    public Builder slots(int count) {
      identity.setSlots(count);
      return this;
    }

    /** What it can do; matched with what tasks require. At most 64. */
    public Builder capabilities(String... names) {
      capabilities.addAll(List.of(names));
      return this;
    }

    /** A label; `key=value` is matched like a capability. At most 64. */
    public Builder label(String key, String value) {
      labels.put(key, value);
      return this;
    }

    /** Starts it with a handler that blocks, on threads of the worker's own, one a slot. */
    public Worker start(TaskHandler handler) {
      HandlerThreads threads = new HandlerThreads(identity.getWorkerId(), identity.getSlots());
      Worker worker = startAsync(threads.run(handler));
      worker.done.whenComplete((ended, failure) -> threads.close());
      return worker;
    }

    /** Starts it with a handler that blocks, on these threads. */
    public Worker start(TaskHandler handler, Executor executor) {
      return startAsync(HandlerThreads.run(handler, executor));
    }

    /** Starts it with a handler that holds no thread. */
    public Worker startAsync(AsyncTaskHandler handler) {
      if (identity.getWorkerId().isEmpty()) {
        throw new IllegalStateException("id: missing (expected: a stable name for the worker)");
      }
      Worker worker =
          new Worker(
              runtime,
              identity.clone().addAllCapabilities(capabilities).putAllLabels(labels).build(),
              handler);
      worker.connect();
      return worker;
    }
  }
}
