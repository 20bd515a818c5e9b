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
  private static final Duration MOST_QUEUEING = Duration.ofSeconds(60);
  private static final Duration MOST_EMPTYING = Duration.ofMinutes(3);
  private static final Duration LOOK = Duration.ofMillis(200);

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
    for (int worker = 0; worker <= waiters; worker++) {
      load.queue(worker);
    }
    load.awaitQuiet();
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
   * Returns when all that was begun seems to be done: no service says who waits, so it is taken
   * from the processor time.
   */
  private void awaitQuiet() {
    long end = System.nanoTime() + MOST_QUEUEING.toNanos();
    Duration before = cpu();
    int quiet = 0;
    while (quiet < 3 && System.nanoTime() - end < 0) {
      LockSupport.parkNanos(LOOK.toNanos());
      Duration after = cpu();
      quiet = after.minus(before).compareTo(LOOK.dividedBy(4)) < 0 ? quiet + 1 : 0;
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
