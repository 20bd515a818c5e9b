package dev.troupe.server.lock;

import com.google.inject.Inject;
import com.google.protobuf.util.Timestamps;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.redis.Partition;
import dev.troupe.v1.Fence;
import dev.troupe.v1.LockLease;
import dev.troupe.v1.Refusal;
import io.grpc.Context;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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
 * <p>Until the last is there, the leases that were granted are renewed from here: if this server
 * dies, a repeat of the request goes on with them, or they run out.
 */
final class LockSets {

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
    private final Map<Partition, List<LockLease>> held = new HashMap<>();
    private final ScheduledFuture<?> renewals;

    Round(Wish wish, SortedMap<Partition, List<Target>> parts, Context caller) {
      this.wish = wish;
      this.parts = List.copyOf(parts.entrySet());
      this.caller = caller;
      this.endNanos = System.nanoTime() + TimeUnit.MICROSECONDS.toNanos(wish.waitMicros());
      this.renewals =
          timers.scheduleWithFixedDelay(
              this::renewAll, wish.ttlMicros() / 3, wish.ttlMicros() / 3, TimeUnit.MICROSECONDS);
    }

    CompletionStage<LockAnswer> run() {
      return next(0)
          .whenComplete(
              (answer, failure) -> {
                renewals.cancel(false);
                if (failure != null || caller.isCancelled()) {
                  // A repeat goes on with what there is.
                  giveBack(wish.forget() || isFinal(failure));
                } else if (!(answer instanceof LockAnswer.Granted)) {
                  giveBack(true);
                }
              });
    }

    private static boolean isFinal(@Nullable Throwable failure) {
      Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
      return cause instanceof TroupeException refusal && refusal.retryAfter().isEmpty();
    }

    private CompletionStage<LockAnswer> next(int index) {
      if (caller.isCancelled()) {
        return CompletableFuture.completedFuture(forNobody());
      }
      if (index == parts.size()) {
        return renewAll().thenApply(this::inOrder);
      }
      Partition partition = parts.get(index).getKey();
      return waits
          .acquire(partition, part(index), caller)
          .thenCompose(
              answer -> {
                if (!(answer instanceof LockAnswer.Granted granted)) {
                  return CompletableFuture.completedFuture(answer);
                }
                synchronized (held) {
                  held.put(partition, granted.leases());
                }
                return next(index + 1);
              });
    }

    private LockAnswer forNobody() {
      return new LockAnswer.Refused(
          Refusal.REFUSAL_TIMED_OUT, wish.targets().get(0).name(), "", 0, 0);
    }

    private Wish part(int index) {
      long left = TimeUnit.NANOSECONDS.toMicros(endNanos - System.nanoTime());
      // A repeat must find each part again, and parts must not be taken for each other.
      String requestId = wish.requestId().isEmpty() ? "" : wish.requestId() + "#" + index;
      return new Wish(
          wish.waitId().substring(0, wish.waitId().length() - 2) + (10 + index),
          requestId,
          wish.forget(),
          wish.known(),
          wish.digest(),
          wish.fence(),
          wish.owner(),
          wish.ttlMicros(),
          wish.waitMicros() == 0 ? 0 : Math.max(1, left),
          wish.call(),
          wish.agent(),
          wish.session(),
          false,
          parts.get(index).getValue());
    }

    private CompletionStage<Map<String, LockLease>> renewAll() {
      CompletionStage<Map<String, LockLease>> all =
          CompletableFuture.completedFuture(new HashMap<>());
      // Nothing is renewed behind its being given back.
      synchronized (held) {
        for (Map.Entry<Partition, List<LockLease>> part : held.entrySet()) {
          for (LockLease lease : part.getValue()) {
            all = all.thenCombine(renew(part.getKey(), lease), Round::with);
          }
        }
      }
      return all;
    }

    private CompletionStage<LockLease> renew(Partition partition, LockLease lease) {
      LockChangeRequest.Renew renewal =
          new LockChangeRequest.Renew(
              lease.getName(), lease.getLeaseId(), 0, "", "", Fence.getDefaultInstance());
      return store
          .renew(partition, renewal)
          .thenApply(
              renewed ->
                  lease.toBuilder()
                      .setExpireTime(Timestamps.fromMicros(renewed.dueMicros()))
                      .build());
    }

    private static Map<String, LockLease> with(Map<String, LockLease> found, LockLease lease) {
      found.put(lease.getName(), lease);
      return found;
    }

    private LockAnswer inOrder(Map<String, LockLease> leases) {
      return new LockAnswer.Granted(
          wish.targets().stream().map(target -> leases.get(target.name())).toList());
    }

    /**
     * Gives back what this call was granted, unless a repeat took it over.
     *
     * @param forget whether no repeat is waited for
     */
    private void giveBack(boolean forget) {
      synchronized (held) {
        for (int index = 0; index < parts.size(); index++) {
          Partition partition = parts.get(index).getKey();
          if (held.containsKey(partition)) {
            store.detach(partition, part(index), forget);
          }
        }
        held.clear();
      }
    }
  }
}
