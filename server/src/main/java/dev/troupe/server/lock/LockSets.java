package dev.troupe.server.lock;

import com.google.inject.Inject;
import com.google.protobuf.util.Timestamps;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.redis.Partition;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.Fence;
import dev.troupe.v1.LockLease;
import dev.troupe.v1.Refusal;
import io.grpc.Context;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Acquires locks of several partitions: one partition after the other, in the order of their
 * numbers, so that two sets never wait for each other. Those of one partition are granted together.
 *
 * <p>Until the last is there, the leases that were granted last for five seconds and are renewed
 * from here: if this server dies, a repeat of the request goes on with them, or they run out. Then
 * they are made to last as long as they are to, and the answer is kept where a repeat asks first,
 * in the partition of the first part.
 */
final class LockSets {

  /** How long a part lasts of a set that is not whole: as long as a grant waits to be claimed. */
  private static final long BRIEF_MICROS = 5_000_000;

  /** Goes between a request id and the number of a part; no request id has a control character. */
  private static final char PART = '\u0001';

  private final LockStore store;
  private final LockWaits waits;
  private final ScheduledExecutorService timers;

  @Inject
  LockSets(LockStore store, LockWaits waits, ScheduledExecutorService timers) {
    this.store = store;
    this.waits = waits;
    this.timers = timers;
  }

  /** All the wish's locks, or none. */
  CompletionStage<LockAnswer> acquire(String namespace, Wish wish, Context caller) {
    if (wish.targets().size() == 1 && wish.agent().isEmpty()) {
      return store
          .locate(namespace, wish.targets().get(0).name())
          .thenCompose(partition -> waits.acquire(partition, wish, caller));
    }
    return checkSession(namespace, wish)
        .thenCompose(current -> locate(namespace, wish))
        .thenCompose(
            parts ->
                parts.size() == 1
                    ? waits.acquire(parts.firstKey(), wish, caller)
                    : new Round(wish, parts, caller).run());
  }

  /** A session that ends after this look leaves a mark in every partition. */
  private CompletionStage<?> checkSession(String namespace, Wish wish) {
    return wish.agent().isEmpty()
        ? CompletableFuture.completedFuture(null)
        : store
            .locate(namespace, wish.agent())
            .thenCompose(home -> store.checkSession(home, wish.agent(), wish.session()));
  }

  private CompletionStage<SortedMap<Partition, List<Target>>> locate(String namespace, Wish wish) {
    CompletionStage<SortedMap<Partition, List<Target>>> parts =
        CompletableFuture.completedFuture(new TreeMap<>(Comparator.comparingInt(Partition::index)));
    for (Target target : wish.targets()) {
      parts =
          parts.thenCombine(
              store.locate(namespace, target.name()),
              (found, partition) -> {
                found.computeIfAbsent(partition, p -> new ArrayList<>()).add(target);
                return found;
              });
    }
    return parts;
  }

  /** One call's way through the partitions. */
  private final class Round {

    private final Wish wish;
    private final List<Map.Entry<Partition, List<Target>>> parts;
    private final Context caller;
    private final long endNanos;
    private final long briefMicros;
    private final Map<Integer, List<LockLease>> held = new TreeMap<>();
    private final ScheduledFuture<?> renewals;

    /** Whether all parts were there, so that a repeat may have been told so. */
    private volatile boolean whole;

    Round(Wish wish, SortedMap<Partition, List<Target>> parts, Context caller) {
      this.wish = wish;
      this.parts = List.copyOf(parts.entrySet());
      this.caller = caller;
      this.endNanos = System.nanoTime() + TimeUnit.MICROSECONDS.toNanos(wish.waitMicros());
      this.briefMicros = Math.min(BRIEF_MICROS, wish.ttlMicros());
      this.renewals =
          timers.scheduleWithFixedDelay(
              () -> renewAll(briefMicros), briefMicros / 3, briefMicros / 3, TimeUnit.MICROSECONDS);
    }

    CompletionStage<LockAnswer> run() {
      return next(0)
          .whenComplete(
              (answer, failure) -> {
                renewals.cancel(false);
                if (failure != null || caller.isCancelled()) {
                  // A repeat goes on with what there is.
                  giveBack(wish.forget() || isFinal(failure));
                }
              });
    }

    private static boolean isFinal(@Nullable Throwable failure) {
      return cause(failure) instanceof TroupeException refusal && refusal.retryAfter().isEmpty();
    }

    private static @Nullable Throwable cause(@Nullable Throwable failure) {
      return failure instanceof CompletionException ? failure.getCause() : failure;
    }

    private CompletionStage<LockAnswer> next(int index) {
      if (caller.isCancelled()) {
        return CompletableFuture.completedFuture(
            refusal(Refusal.REFUSAL_TIMED_OUT, wish.targets().get(0).name()));
      }
      if (index == parts.size()) {
        return finish();
      }
      return waits
          .acquire(partition(index), part(index), caller)
          .thenCompose(
              answer -> {
                if (answer instanceof LockAnswer.SetOver over) {
                  return CompletableFuture.completedFuture(over.answer());
                }
                if (!(answer instanceof LockAnswer.Granted granted)) {
                  return refuse(answer);
                }
                synchronized (held) {
                  held.put(index, granted.leases());
                }
                return next(index + 1);
              });
    }

    private static LockAnswer refusal(Refusal why, String name) {
      return new LockAnswer.Refused(why, name, "", 0, 0);
    }

    private Partition partition(int index) {
      return parts.get(index).getKey();
    }

    private long leftMicros() {
      return TimeUnit.NANOSECONDS.toMicros(endNanos - System.nanoTime());
    }

    private Wish part(int index) {
      // A repeat must find each part again, and parts must not be taken for each other.
      String requestId = wish.requestId().isEmpty() ? "" : wish.requestId() + PART + index;
      return new Wish(
          wish.waitId().substring(0, wish.waitId().length() - 2) + (10 + index),
          requestId,
          wish.forget(),
          wish.known(),
          wish.digest(),
          wish.fence(),
          wish.owner(),
          wish.ttlMicros(),
          wish.waitMicros() == 0 ? 0 : Math.max(1, leftMicros()),
          wish.call(),
          wish.agent(),
          wish.session(),
          "",
          true,
          parts.get(index).getValue());
    }

    /** All parts are there: makes them last as long as they are to, and says so. */
    private CompletionStage<LockAnswer> finish() {
      return renewAll(0)
          .thenCompose(
              leases -> {
                for (Target target : wish.targets()) {
                  if (!leases.containsKey(target.name())) {
                    return again(target.name());
                  }
                }
                whole = true;
                LockAnswer granted =
                    new LockAnswer.Granted(
                        wish.targets().stream().map(target -> leases.get(target.name())).toList());
                return keep(granted).thenApply(kept -> granted);
              });
    }

    /** A part was lost while the others were waited for: this server was paused, as a rule. */
    private CompletionStage<LockAnswer> again(String lost) {
      if (wish.waitMicros() == 0 || leftMicros() <= 0) {
        return refuse(
            refusal(
                wish.waitMicros() == 0 ? Refusal.REFUSAL_HELD : Refusal.REFUSAL_TIMED_OUT, lost));
      }
      giveBack(true);
      return next(0);
    }

    private CompletionStage<LockAnswer> refuse(LockAnswer refusal) {
      return keep(refusal)
          .thenApply(
              kept -> {
                giveBack(true);
                return refusal;
              });
    }

    /** Has repeats of the request answered so, if there can be any. */
    private CompletionStage<?> keep(LockAnswer answer) {
      return wish.forget() || caller.isCancelled()
          ? CompletableFuture.completedFuture(null)
          : store.keep(partition(0), part(0), answer);
    }

    /**
     * Renews what is held.
     *
     * @param micros for how long; 0 for as long as was asked for
     * @return by name, what is not lost
     */
    private CompletionStage<Map<String, LockLease>> renewAll(long micros) {
      CompletionStage<Map<String, LockLease>> all =
          CompletableFuture.completedFuture(new HashMap<>());
      // Nothing is renewed behind its being given back.
      synchronized (held) {
        for (Map.Entry<Integer, List<LockLease>> part : held.entrySet()) {
          for (LockLease lease : part.getValue()) {
            all =
                all.thenCombine(
                    renew(partition(part.getKey()), lease, micros),
                    (found, renewed) -> {
                      renewed.ifPresent(one -> found.put(one.getName(), one));
                      return found;
                    });
          }
        }
      }
      return all;
    }

    private CompletionStage<Optional<LockLease>> renew(
        Partition partition, LockLease lease, long micros) {
      LockChangeRequest.Renew renewal =
          new LockChangeRequest.Renew(
              lease.getName(), lease.getLeaseId(), micros, "", "", Fence.getDefaultInstance());
      return store
          .renew(partition, renewal)
          .handle(
              (renewed, failure) -> {
                if (failure == null) {
                  return Optional.of(
                      lease.toBuilder()
                          .setExpireTime(Timestamps.fromMicros(renewed.dueMicros()))
                          .build());
                }
                if (cause(failure) instanceof TroupeException refusal
                    && refusal.reason() == ErrorReason.ERROR_REASON_STALE_LEASE) {
                  return Optional.empty();
                }
                throw new CompletionException(cause(failure));
              });
    }

    /**
     * Gives back what this call was granted, unless a repeat took it over.
     *
     * @param forget whether no repeat is waited for
     */
    private void giveBack(boolean forget) {
      List<Integer> indices;
      synchronized (held) {
        indices = List.copyOf(held.keySet());
        held.clear();
      }
      if (!whole) {
        indices.forEach(index -> store.detach(partition(index), part(index), forget));
      } else if (!indices.isEmpty()) {
        // Only of the first part is it known whether a repeat was told that it has the set.
        store
            .detach(partition(0), part(0), forget)
            .thenAccept(
                detached -> {
                  if (detached.leases() > 0) {
                    indices.stream()
                        .skip(1)
                        .forEach(index -> store.detach(partition(index), part(index), forget));
                  }
                });
      }
    }
  }
}
