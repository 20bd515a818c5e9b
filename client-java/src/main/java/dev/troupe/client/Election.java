package dev.troupe.client;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.troupe.v1.AcquireRequest;
import dev.troupe.v1.LockChange;
import dev.troupe.v1.LockChangeKind;
import dev.troupe.v1.LockInfo;
import dev.troupe.v1.WatchLocksRequest;
import dev.troupe.v1.WatchLocksResponse;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Candidates of whom one at a time leads: a lock that the leader holds, and that the others wait
 * for in the order in which they came. Thread-safe.
 */
public final class Election {

  private static final Duration LEASE = Duration.ofSeconds(10);
  private static final Duration LONGEST_WAIT = Duration.ofHours(1);

  private final LockClient locks;
  private final String lock;

  Election(LockClient locks, String name) {
    this.locks = locks;
    this.lock = "elections/" + name;
  }

  /**
   * Who leads.
   *
   * @param fencingToken higher than that of every leader before
   */
  public record Leader(String candidate, long fencingToken) {}

  /**
   * Stands for election with a lease of 10 seconds, see {@link #campaign(String, Duration)}.
   *
   * @param candidate names this candidate, different from all others
   */
  public CompletableFuture<LockHandle> campaign(String candidate) {
    return campaign(candidate, LEASE);
  }

  /**
   * Stands for election until it is won, however long that takes; cancelling the future withdraws.
   * The leader has to stop when the handle is lost, and hands its fence to whoever it writes to;
   * releasing the handle resigns.
   *
   * @param lease how long a leader that died keeps the others waiting, 1 second to 24 hours
   */
  public CompletableFuture<LockHandle> campaign(String candidate, Duration lease) {
    CompletableFuture<LockHandle> won = new CompletableFuture<>();
    stand(
        AcquireRequest.newBuilder()
            .setName(lock)
            .setOwner(candidate)
            .setTtl(Durations.of(lease))
            .setWait(Durations.of(LONGEST_WAIT))
            .build(),
        won);
    return won;
  }

  private void stand(AcquireRequest request, CompletableFuture<LockHandle> won) {
    CompletableFuture<Optional<LockHandle>> round = locks.acquire(request);
    won.whenComplete(
        (handle, failure) -> {
          if (won.isCancelled()) {
            round.cancel(true);
          }
        });
    round.whenComplete(
        (handle, failure) -> {
          if (failure != null) {
            won.completeExceptionally(failure);
          } else if (handle.isEmpty()) {
            stand(request, won);
          } else if (!won.complete(handle.get())) {
            handle.get().release();
          }
        });
  }

  /** Who leads now, if anybody does. */
  public CompletableFuture<Optional<Leader>> leader() {
    return locks.get(lock).thenApply(Election::leader);
  }

  private static Optional<Leader> leader(LockInfo info) {
    return info.getHoldersList().stream()
        .findFirst()
        .map(holder -> new Leader(holder.getOwner(), holder.getFencingToken()));
  }

  /**
   * Hears who leads: now, and whenever that changes; nothing while nobody does. Of leaders that
   * followed each other fast, some may be left out.
   */
  public Subscription observe(Consumer<Optional<Leader>> observer) {
    return locks.watch(
        WatchLocksRequest.newBuilder().addNames(lock).build(), new Observation(observer));
  }

  /** Puts the leader at the beginning and the changes since into one order. */
  private final class Observation implements Consumer<WatchLocksResponse> {

    private final Consumer<Optional<Leader>> observer;

    @GuardedBy("this")
    private CompletableFuture<?> told = CompletableFuture.completedFuture(null);

    @GuardedBy("this")
    private boolean begun;

    private @Nullable Optional<Leader> last;
    private long highest;

    Observation(Consumer<Optional<Leader>> observer) {
      this.observer = observer;
    }

    @Override
    public synchronized void accept(WatchLocksResponse response) {
      // The stream is in place, or has missed something: what is true now comes before what
      // follows.
      if (!begun || response.getMissed() > 0) {
        begun = true;
        told =
            told.handle((done, failure) -> null)
                .thenCompose(done -> leader())
                .thenAccept(this::isNow)
                .whenComplete(
                    (done, failure) -> {
                      if (failure != null) {
                        askAgain();
                      }
                    });
      }
      if (response.hasChange()) {
        LockChange change = response.getChange();
        told = told.handle((done, failure) -> null).thenAccept(done -> changed(change));
      }
    }

    /** With the next response, of which there is one every 15 seconds at least. */
    private synchronized void askAgain() {
      begun = false;
    }

    private void isNow(Optional<Leader> leader) {
      leader.ifPresent(found -> highest = Math.max(highest, found.fencingToken()));
      tell(leader);
    }

    private void changed(LockChange change) {
      long token = change.getFencingToken();
      if (token == 0 || token < highest) {
        return;
      }
      highest = token;
      tell(
          change.getKind() == LockChangeKind.LOCK_CHANGE_KIND_ACQUIRED
              ? Optional.of(new Leader(change.getOwner(), token))
              : Optional.empty());
    }

    private void tell(Optional<Leader> leader) {
      if (!leader.equals(last)) {
        last = leader;
        observer.accept(leader);
      }
    }
  }
}
