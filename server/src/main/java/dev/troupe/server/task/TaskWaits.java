package dev.troupe.server.task;

import com.google.inject.Inject;
import com.google.protobuf.util.Durations;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.grpc.Drainable;
import dev.troupe.server.log.EntryWaits;
import dev.troupe.v1.LeaseRequest;
import dev.troupe.v1.LeaseResponse;
import dev.troupe.v1.LeasedTask;
import dev.troupe.v1.Task;
import dev.troupe.v1.WaitTaskRequest;
import dev.troupe.v1.WaitTaskResponse;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The calls that wait: for a first task, or for a task's end. No thread waits with them. */
final class TaskWaits implements Drainable {

  private static final Logger log = LoggerFactory.getLogger(TaskWaits.class);
  private static final Duration RETRY_ELSEWHERE = Duration.ofMillis(500);
  private static final long DEFAULT_TIMEOUT_MILLIS = 30_000;

  private final TaskStore store;
  private final LeasePools pools;
  private final TaskBell bell;
  private final TaskEndings endings;
  private final ScheduledExecutorService timers;

  /** How each call that waits is told that the server stops. */
  private final Set<Runnable> stops = ConcurrentHashMap.newKeySet();

  private volatile boolean stopping;

  @Inject
  TaskWaits(
      TaskStore store,
      LeasePools pools,
      TaskBell bell,
      TaskEndings endings,
      ScheduledExecutorService timers) {
    this.store = store;
    this.pools = pools;
    this.bell = bell;
    this.endings = endings;
    this.timers = timers;
  }

  CompletionStage<LeaseResponse> lease(
      QueueId queue, LeaseRequest request, StreamObserver<LeaseResponse> caller) {
    Set<String> capabilities = new HashSet<>(request.getCapabilitiesList());
    int most = Math.max(1, request.getMaxTasks());
    LeaseWish wish = new LeaseWish(request.getWorkerId(), 0, most);
    boolean waits = Durations.toMillis(request.getWait()) > 0;
    // Those who wait lease together, so a fence is checked before.
    CompletionStage<List<LeasedTask>> tasks =
        waits && request.getFence().getName().isEmpty()
            ? await(queue, capabilities, most, request, caller)
            : store
                .under(request.getFence())
                .lease(queue, capabilities, LeasePools.NO_WINDOW, List.of(wish))
                .thenApply(grant -> grant.tasks().get(0))
                .thenCompose(
                    leased ->
                        waits && leased.isEmpty()
                            ? await(queue, capabilities, most, request, caller)
                            : CompletableFuture.completedFuture(leased));
    return tasks.thenApply(
        leased -> {
          if (isCancelled(caller)) {
            // Nobody hears the answer, so nobody will work on them.
            leased.forEach(task -> giveBack(queue, task));
          }
          return LeaseResponse.newBuilder().addAllTasks(leased).build();
        });
  }

  private CompletionStage<List<LeasedTask>> await(
      QueueId queue,
      Set<String> capabilities,
      int most,
      LeaseRequest request,
      StreamObserver<LeaseResponse> caller) {
    return bell.hear(queue.partition())
        .thenCompose(unlisten -> hang(queue, capabilities, most, request, caller));
  }

  private CompletableFuture<List<LeasedTask>> hang(
      QueueId queue,
      Set<String> capabilities,
      int most,
      LeaseRequest request,
      StreamObserver<LeaseResponse> caller) {
    LeaseCall call = new LeaseCall(request.getWorkerId(), most, task -> giveBack(queue, task));
    ScheduledFuture<?> timer =
        timers.schedule(
            call::timeout, Durations.toMillis(request.getWait()), TimeUnit.MILLISECONDS);
    LeasePools.Membership membership = pools.join(queue, capabilities, LeasePools.NO_WINDOW, call);
    ScheduledFuture<?> watch = watchCancellation(caller, call::abandon);
    Runnable stop = whenStopping(() -> call.stop(shuttingDown()));
    return call.answer()
        .whenComplete(
            (tasks, failure) -> {
              stops.remove(stop);
              timer.cancel(false);
              watch.cancel(false);
              membership.leave();
            });
  }

  /**
   * gRPC takes a cancel handler only while the method runs, so a waiting call looks now and then.
   */
  private ScheduledFuture<?> watchCancellation(StreamObserver<?> caller, Runnable cancelled) {
    return timers.scheduleWithFixedDelay(
        () -> {
          if (isCancelled(caller)) {
            cancelled.run();
          }
        },
        500,
        500,
        TimeUnit.MILLISECONDS);
  }

  private static boolean isCancelled(StreamObserver<?> caller) {
    return caller instanceof ServerCallStreamObserver<?> call && call.isCancelled();
  }

  private void giveBack(QueueId queue, LeasedTask task) {
    store
        .release(queue, task.getAttempt(), Durations.ZERO, "undelivered")
        .whenComplete(
            (state, failure) -> {
              if (failure != null) {
                log.debug("{} stays leased until it runs out", task.getAttempt(), failure);
              }
            });
  }

  CompletionStage<WaitTaskResponse> ending(
      QueueId queue, WaitTaskRequest request, StreamObserver<WaitTaskResponse> caller) {
    EntryWaits.Waiting waiting = endings.await(queue, request.getTaskId());
    long timeout =
        request.hasTimeout() ? Durations.toMillis(request.getTimeout()) : DEFAULT_TIMEOUT_MILLIS;
    ScheduledFuture<?> timer =
        timers.schedule(() -> waiting.woken().complete(null), timeout, TimeUnit.MILLISECONDS);
    ScheduledFuture<?> watch = watchCancellation(caller, () -> waiting.woken().complete(null));
    Runnable stop = whenStopping(() -> waiting.woken().completeExceptionally(shuttingDown()));
    return waiting
        .ready()
        .thenCompose(ready -> store.get(queue, request.getTaskId()))
        .thenCompose(
            task ->
                TaskStates.ended(task.getState())
                    ? CompletableFuture.completedFuture(task)
                    : waiting.woken().thenCompose(done -> store.get(queue, request.getTaskId())))
        .thenApply(TaskWaits::response)
        .whenComplete(
            (response, failure) -> {
              stops.remove(stop);
              timer.cancel(false);
              watch.cancel(false);
              waiting.leave().run();
            });
  }

  private Runnable whenStopping(Runnable stop) {
    stops.add(stop);
    if (stopping) {
      stop.run();
    }
    return stop;
  }

  /** Those who wait are told to wait elsewhere. */
  @Override
  public CompletionStage<?> drain() {
    stopping = true;
    stops.forEach(Runnable::run);
    return CompletableFuture.completedFuture(null);
  }

  private static TroupeException shuttingDown() {
    return TroupeException.shuttingDown("wait on another one", RETRY_ELSEWHERE);
  }

  private static WaitTaskResponse response(Task task) {
    return WaitTaskResponse.newBuilder()
        .setTask(task)
        .setEnded(TaskStates.ended(task.getState()))
        .build();
  }
}
