package dev.troupe.server.lock;

import com.google.inject.Inject;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.grpc.Drainable;
import dev.troupe.server.log.EntryWaits;
import dev.troupe.server.log.LogEntry;
import dev.troupe.server.log.PartitionLogs;
import dev.troupe.server.redis.Partition;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.LockChange;
import io.grpc.Context;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import org.jspecify.annotations.Nullable;

/**
 * The calls that wait for locks. The queue is in Redis; here hangs only who is to be told. A grant
 * is heard of by the partition's log and then claimed, so that one that nobody hears of goes on to
 * the next. No thread waits, and neither does Redis.
 */
final class LockWaits implements Drainable {

  private static final Duration RETRY_ELSEWHERE = Duration.ofMillis(100);

  private final LockStore store;
  private final Deadlocks deadlocks;
  private final EntryWaits waits;
  private final ScheduledExecutorService timers;
  private final Set<PendingAcquire> pending = ConcurrentHashMap.newKeySet();
  private volatile boolean draining;

  @Inject
  LockWaits(
      LockStore store, Deadlocks deadlocks, PartitionLogs logs, ScheduledExecutorService timers) {
    this.store = store;
    this.deadlocks = deadlocks;
    this.waits = new EntryWaits(logs, LockWaits::endedWait);
    this.timers = timers;
  }

  private static @Nullable String endedWait(LogEntry entry) {
    if (!entry.topic().equals("troupe.locks")) {
      return null;
    }
    try {
      long number = LockChange.parseFrom(entry.data()).getWaitNumber();
      return number == 0 ? null : key(entry.subject(), number);
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("a logged change of a lock cannot be read", e);
    }
  }

  static String key(String name, long number) {
    return name + '\0' + number;
  }

  /**
   * Asks for locks of one partition and waits for them if need be.
   *
   * @param caller is cancelled when nobody hears the answer any more
   * @return {@link LockAnswer.Granted} or {@link LockAnswer.Refused}
   */
  CompletionStage<LockAnswer> acquire(Partition partition, Wish wish, Context caller) {
    return store
        .acquire(partition, wish)
        .whenComplete(
            (answer, failure) -> {
              if (isUnknown(failure)) {
                store.detach(partition, wish);
              }
            })
        .thenCompose(
            answer -> {
              if (answer instanceof LockAnswer.Waiting waiting) {
                return hang(partition, wish, waiting, caller);
              }
              if (caller.isCancelled()) {
                store.detach(partition, wish);
              }
              return CompletableFuture.completedFuture(answer);
            });
  }

  private static boolean isUnknown(@Nullable Throwable failure) {
    Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
    return cause instanceof TroupeException refusal
        && refusal.reason() == ErrorReason.ERROR_REASON_OUTCOME_UNKNOWN;
  }

  private CompletionStage<LockAnswer> hang(
      Partition partition, Wish wish, LockAnswer.Waiting waiting, Context caller) {
    PendingAcquire one =
        new PendingAcquire(
            partition, wish, store, waits, timers, queued -> look(partition, wish, queued));
    pending.add(one);
    one.begin(waiting, caller);
    if (draining) {
      one.end(shuttingDown());
    }
    look(partition, wish, waiting);
    return one.answer().whenComplete((answer, failure) -> pending.remove(one));
  }

  private void look(Partition partition, Wish wish, LockAnswer.Waiting waiting) {
    deadlocks.look(partition, wish, waiting.entangled());
  }

  @Override
  public CompletionStage<?> drain() {
    draining = true;
    pending.forEach(one -> one.end(shuttingDown()));
    return CompletableFuture.completedFuture(null);
  }

  private static TroupeException shuttingDown() {
    return TroupeException.shuttingDown(
        "wait on another one, with the same request_id", RETRY_ELSEWHERE);
  }
}
