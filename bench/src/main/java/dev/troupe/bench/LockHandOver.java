package dev.troupe.bench;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * One lock that goes from worker to worker while many wait for it. Whoever gave it back waits for
 * it again, so that the queue stays as long as it is.
 */
final class LockHandOver {

  private static final int HAND_OVERS = 1000;
  private static final Duration MOST_TIME = Duration.ofSeconds(20);

  /** How long a worker keeps the lock: so long the one before has to get in line again. */
  private static final Duration HOLD = Duration.ofMillis(2);

  private static final Duration STUCK = Duration.ofSeconds(30);
  private static final int BATCH = 100;
  private static final Duration MOST_FILLING = Duration.ofSeconds(90);
  private static final Duration MOST_EMPTYING = Duration.ofMinutes(3);
  private static final Duration LOOK = Duration.ofMillis(100);

  /**
   * Processor time is counted in steps of 10 ms, one of which says nothing; but whoever must share
   * the processors with others gets little even while it has much to do.
   */
  private static final Duration REST = Duration.ofMillis(20);

  private final LockPeer peer;
  private final String name;
  private final LinkedBlockingQueue<Grant> grants = new LinkedBlockingQueue<>();

  private LockHandOver(LockPeer peer, String name) {
    this.peer = peer;
    this.name = name;
  }

  /**
   * Hands a lock over up to 1000 times, or for 20 seconds.
   *
   * @param name of a lock that nobody has
   * @return how often, and p50 and p99 in ms, each counted from before the release was called until
   *     the next worker had the lock
   */
  static double[] measure(LockPeer peer, String name, int waiters) throws Exception {
    LockHandOver load = new LockHandOver(peer, name);
    load.fill(waiters);
    Samples.Recorder recorder = new Samples.Recorder();
    int count = 0;
    Grant holder = load.next();
    long end = System.nanoTime() + MOST_TIME.toNanos();
    for (; count < HAND_OVERS && System.nanoTime() - end < 0; count++) {
      holder = load.handOver(holder, recorder);
    }
    load.empty(holder, waiters);
    Samples samples = Samples.of(List.of(recorder));
    return new double[] {count, samples.quantile(0.5) / 1e6, samples.quantile(0.99) / 1e6};
  }

  private void queue(int worker) {
    peer.acquire(name, worker)
        .whenComplete(
            (held, failed) -> grants.add(new Grant(worker, held, failed, System.nanoTime())));
  }

  private Grant handOver(Grant holder, Samples.Recorder recorder) throws Exception {
    LockSupport.parkNanos(HOLD.toNanos());
    Grant early = grants.poll();
    if (early != null) {
      early.held();
      throw new IllegalStateException("two workers had the lock at a time");
    }
    long begin = System.nanoTime();
    CompletionStage<?> released = holder.held().release();
    Grant next = next();
    recorder.add(next.nanos - begin);
    await(released);
    queue(holder.worker);
    return next;
  }

  /** Serves all who wait, as nobody can be asked to go away. */
  private void empty(Grant last, int waiters) throws Exception {
    long end = System.nanoTime() + MOST_EMPTYING.toNanos();
    Grant holder = last;
    for (int left = waiters; left > 0; left--) {
      if (System.nanoTime() - end > 0) {
        throw new TimeoutException(
            left + " still wait after " + MOST_EMPTYING.toMinutes() + " minutes");
      }
      CompletionStage<?> released = holder.held().release();
      holder = next();
      await(released);
    }
    await(holder.held().release());
  }

  private Grant next() throws InterruptedException, TimeoutException {
    Grant grant = grants.poll(STUCK.toMillis(), TimeUnit.MILLISECONDS);
    if (grant == null) {
      throw new TimeoutException("nobody got the lock within " + STUCK.toSeconds() + " s");
    }
    return grant;
  }

  private static void await(CompletionStage<?> stage) throws Exception {
    stage.toCompletableFuture().get(STUCK.toMillis(), TimeUnit.MILLISECONDS);
  }

  /**
   * Gives one worker the lock and lets the others get in line, no faster than the service can take
   * them: etcd, for one, fails when thousands come within a second. No service tells when somebody
   * is in line, so that is taken from the processors coming to rest.
   */
  private void fill(int waiters) throws TimeoutException {
    long end = System.nanoTime() + MOST_FILLING.toNanos();
    for (int worker = 0; worker <= waiters; worker++) {
      queue(worker);
      if (worker % BATCH == 0 || worker == waiters) {
        awaitRest(worker == waiters ? 5 : 2, end);
      }
    }
  }

  private void awaitRest(int looks, long end) throws TimeoutException {
    Duration before = cpu();
    int rested = 0;
    while (rested < looks) {
      if (System.nanoTime() - end > 0) {
        throw new TimeoutException(
            "the waiters were not in line within " + MOST_FILLING.toSeconds() + " s");
      }
      LockSupport.parkNanos(LOOK.toNanos());
      Duration after = cpu();
      rested = after.minus(before).compareTo(REST) <= 0 ? rested + 1 : 0;
      before = after;
    }
  }

  private Duration cpu() {
    return peer.serverCpu()
        .plus(peer.storeCpu())
        .plus(ProcessHandle.current().info().totalCpuDuration().orElse(Duration.ZERO));
  }

  /** The answer to a worker that waited: a lock or a failure. */
  private record Grant(
      int worker, LockPeer.@Nullable Held granted, @Nullable Throwable failure, long nanos) {

    LockPeer.Held held() {
      if (granted == null) {
        throw new IllegalStateException("a waiter was turned away", failure);
      }
      return granted;
    }
  }
}
