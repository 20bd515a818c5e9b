package dev.troupe.server.lock;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.troupe.server.log.EntryWaits;
import dev.troupe.server.redis.Partition;
import dev.troupe.v1.Refusal;
import io.grpc.Context;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One call that waits. Looks how its wish stands when the log says that its wait ended, when its
 * time is up, and once at the beginning, as the wait may have ended before the log was read.
 */
final class PendingAcquire {

  private final Partition partition;
  private final Wish wish;
  private final LockStore store;
  private final EntryWaits waits;
  private final ScheduledExecutorService timers;
  private final Consumer<LockAnswer.Waiting> queuedAnew;
  private final CompletableFuture<LockAnswer> answer = new CompletableFuture<>();
  private final long endNanos;

  @GuardedBy("this")
  private EntryWaits.@Nullable Waiting waiting;

  @GuardedBy("this")
  private boolean looking;

  @GuardedBy("this")
  private boolean lookAgain;

  private volatile boolean timeIsUp;

  PendingAcquire(
      Partition partition,
      Wish wish,
      LockStore store,
      EntryWaits waits,
      ScheduledExecutorService timers,
      Consumer<LockAnswer.Waiting> queuedAnew) {
    this.partition = partition;
    this.wish = wish;
    this.store = store;
    this.waits = waits;
    this.timers = timers;
    this.queuedAnew = queuedAnew;
    this.endNanos = System.nanoTime() + TimeUnit.MICROSECONDS.toNanos(wish.waitMicros());
  }

  /** What comes of it. */
  CompletableFuture<LockAnswer> answer() {
    return answer;
  }

  /** Begins to wait under a number. */
  void begin(LockAnswer.Waiting begun, Context caller) {
    ScheduledFuture<?> timer =
        timers.schedule(this::timeout, wish.waitMicros(), TimeUnit.MICROSECONDS);
    Context.CancellationListener gone = context -> abandon();
    caller.addListener(gone, Runnable::run);
    answer.whenComplete(
        (found, failure) -> {
          timer.cancel(false);
          caller.removeListener(gone);
          leave();
        });
    register(begun.number());
  }

  private void register(long number) {
    EntryWaits.Waiting place =
        waits.await(partition, LockWaits.key(wish.targets().get(0).name(), number));
    synchronized (this) {
      waiting = place;
    }
    if (answer.isDone()) {
      leave();
    }
    place.ready().whenComplete((ready, failure) -> look());
    place.woken().whenComplete((woken, failure) -> look());
  }

  private void leave() {
    EntryWaits.Waiting place;
    synchronized (this) {
      place = waiting;
      waiting = null;
    }
    if (place != null) {
      place.leave().run();
    }
  }

  private void timeout() {
    timeIsUp = true;
    look();
  }

  /** One look at a time: what happens during one is seen by the next. */
  private void look() {
    synchronized (this) {
      if (answer.isDone()) {
        return;
      }
      if (looking) {
        lookAgain = true;
        return;
      }
      looking = true;
      lookAgain = false;
    }
    boolean last = timeIsUp;
    long left = TimeUnit.NANOSECONDS.toMicros(endNanos - System.nanoTime());
    // Below zero: a wait that is still there keeps its end and the call that it hangs on.
    Wish question = wish.again(last ? Wish.TIME_IS_UP : -Math.max(2, left));
    store
        .acquire(partition, question)
        .whenComplete(
            (found, failure) -> {
              boolean again;
              synchronized (this) {
                looking = false;
                again = lookAgain;
              }
              if (failure != null) {
                end(failure);
              } else if (found instanceof LockAnswer.Waiting still) {
                keepWaiting(still, again);
              } else {
                settle(found);
              }
            });
  }

  private void keepWaiting(LockAnswer.Waiting still, boolean again) {
    boolean woken;
    synchronized (this) {
      woken = waiting == null || waiting.woken().isDone();
    }
    if (woken) {
      // The wait that was registered ended, and this is another one in its place.
      leave();
      register(still.number());
      queuedAnew.accept(still);
    } else if (again) {
      look();
    }
  }

  private void settle(LockAnswer found) {
    if (!answer.complete(found) && found instanceof LockAnswer.Granted) {
      // It came too late for this call.
      store.detach(partition, wish);
    }
  }

  /** Nobody hears the answer any more. */
  private void abandon() {
    if (answer.complete(
        new LockAnswer.Refused(
            Refusal.REFUSAL_TIMED_OUT, wish.targets().get(0).name(), "", 0, 0))) {
      store.detach(partition, wish);
    }
  }

  /** Ends the call with an error; its place is kept for a while. */
  void end(Throwable failure) {
    if (answer.completeExceptionally(failure)) {
      store.detach(partition, wish);
    }
  }
}
