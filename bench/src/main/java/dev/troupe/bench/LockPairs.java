package dev.troupe.bench;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Workers that each take and give back a lock of their own, over and over. */
final class LockPairs {

  private static final Duration STUCK = Duration.ofSeconds(30);

  private final LockPeer peer;
  private final long end;
  private final CountDownLatch working;
  private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

  private LockPairs(LockPeer peer, int workers, Duration time) {
    this.peer = peer;
    this.end = System.nanoTime() + time.toNanos();
    this.working = new CountDownLatch(workers);
  }

  /**
   * Loads the peer for a while.
   *
   * @return pairs per second; p50 and p99 of a pair in µs; the CPU that each took of the server,
   *     the store and this process in µs
   */
  static double[] measure(LockPeer peer, int workers, Duration time) throws Exception {
    LockPairs load = new LockPairs(peer, workers, time);
    List<Samples.Recorder> recorders = new ArrayList<>();
    Duration server = peer.serverCpu();
    Duration store = peer.storeCpu();
    Duration own = ownCpu();
    long begin = System.nanoTime();
    for (int worker = 0; worker < workers; worker++) {
      Samples.Recorder recorder = new Samples.Recorder();
      recorders.add(recorder);
      load.next(worker, "own-" + worker, recorder);
    }
    boolean ended = load.working.await(time.plus(STUCK).toMillis(), TimeUnit.MILLISECONDS);
    double seconds = (System.nanoTime() - begin) / 1e9;
    Throwable failed = load.failure.get();
    if (failed != null) {
      throw new IllegalStateException("a lock was not to be had", failed);
    }
    if (!ended) {
      throw new TimeoutException(load.working.getCount() + " workers are stuck");
    }
    Samples samples = Samples.of(recorders);
    return new double[] {
      samples.count() / seconds,
      samples.quantile(0.5) / 1e3,
      samples.quantile(0.99) / 1e3,
      micros(server, peer.serverCpu()) / samples.count(),
      micros(store, peer.storeCpu()) / samples.count(),
      micros(own, ownCpu()) / samples.count()
    };
  }

  private void next(int worker, String name, Samples.Recorder recorder) {
    long begin = System.nanoTime();
    peer.acquire(name, worker)
        .thenCompose(LockPeer.Held::release)
        .whenComplete(
            (released, failed) -> {
              long now = System.nanoTime();
              recorder.add(now - begin);
              if (failed != null) {
                failure.compareAndSet(null, failed);
              }
              if (failed == null && now - end < 0) {
                next(worker, name, recorder);
              } else {
                working.countDown();
              }
            });
  }

  private static Duration ownCpu() {
    return ProcessHandle.current().info().totalCpuDuration().orElse(Duration.ZERO);
  }

  private static double micros(Duration before, Duration after) {
    return after.minus(before).toNanos() / 1e3;
  }
}
