package dev.troupe.server.event;

import com.google.inject.Inject;
import com.google.protobuf.util.Durations;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.grpc.Drainable;
import dev.troupe.server.grpc.LoadLimit;
import dev.troupe.server.grpc.Names;
import dev.troupe.server.grpc.RequestDigest;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.PullEventsRequest;
import dev.troupe.v1.PullEventsResponse;
import io.grpc.Context;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/** The calls of {@code PullEvents}, which may wait for their first event. */
final class GroupPulls implements Drainable {

  private static final Duration RETRY_ELSEWHERE = Duration.ofMillis(100);

  private final GroupStore store;
  private final GroupDispatchers dispatchers;
  private final ScheduledExecutorService timers;
  private final Set<PullCall> calls = ConcurrentHashMap.newKeySet();
  private volatile boolean draining;

  @Inject
  GroupPulls(GroupStore store, GroupDispatchers dispatchers, ScheduledExecutorService timers) {
    this.store = store;
    this.dispatchers = dispatchers;
    this.timers = timers;
  }

  CompletionStage<PullEventsResponse> pull(PullEventsRequest request) {
    GroupChecks.pull(request);
    long waitMillis = Durations.toMillis(request.getWait());
    if (waitMillis > 0) {
      LoadLimit.waits();
    }
    Context caller = Context.current();
    PullCall call =
        new PullCall(
            request.getMemberId(),
            Math.max(1, request.getMaxEvents()),
            request.getRequestId(),
            RequestDigest.of(request.getRequestId(), request),
            waitMillis > 0);
    return store
        .locate(Names.namespace(request.getNamespace()), request.getTopic(), request.getGroup())
        .thenCompose(group -> hang(group, call, waitMillis, caller));
  }

  private CompletionStage<PullEventsResponse> hang(
      GroupId group, PullCall call, long waitMillis, Context caller) {
    GroupDispatchers.Use use = dispatchers.use(group);
    calls.add(call);
    if (draining) {
      call.answer().completeExceptionally(shuttingDown());
    }
    ScheduledFuture<?> timer =
        timers.schedule(
            // A call that does not wait is answered after it asked once.
            waitMillis > 0 ? call::timeout : () -> {}, waitMillis, TimeUnit.MILLISECONDS);
    Context.CancellationListener gone =
        cancelled -> call.answer().completeExceptionally(callerIsGone());
    caller.addListener(gone, Runnable::run);
    if (waitMillis > 0) {
      use.listen();
    }
    use.dispatcher().pull(call);
    CompletableFuture<PullEventsResponse> response =
        call.answer()
            .thenApply(
                deliveries -> PullEventsResponse.newBuilder().addAllDeliveries(deliveries).build());
    return response.whenComplete(
        (answer, failure) -> {
          timer.cancel(false);
          caller.removeListener(gone);
          calls.remove(call);
          use.dispatcher().forget(call);
          use.release();
        });
  }

  @Override
  public CompletionStage<?> drain() {
    draining = true;
    calls.forEach(call -> call.answer().completeExceptionally(shuttingDown()));
    return CompletableFuture.completedFuture(null);
  }

  private static TroupeException callerIsGone() {
    return TroupeException.of(
        ErrorReason.ERROR_REASON_OUTCOME_UNKNOWN, "the call was given up by its caller");
  }

  private static TroupeException shuttingDown() {
    return TroupeException.shuttingDown(
        "pull from another one, with the same request_id", RETRY_ELSEWHERE);
  }
}
