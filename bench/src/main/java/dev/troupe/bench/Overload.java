package dev.troupe.bench;

import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * What is left of the server's capacity when calls keep coming faster than it can answer: an open
 * loop of enqueues at a multiple of the rate that a closed loop reached just before.
 */
final class Overload {

  private static final int CHANNELS = 4;
  private static final int PEAK_CALLS = 60_000;
  private static final int PEAK_IN_FLIGHT = 256;
  private static final int SECONDS = 8;
  private static final long TIMEOUT_MILLIS = 2_000;
  private static final double[] FACTORS = {0.5, 1, 2};

  private Overload() {}

  /** Prints a table row per factor and run. */
  static void measure(Path jar, int runs) throws Exception {
    System.out.println(
        "| run | offered, of peak | answered in time, of peak | refused | too late | p50 ms | p99 ms |");
    System.out.println("|---|---|---|---|---|---|---|");
    try (ServerUnderTest server = new ServerUnderTest(jar)) {
      List<ManagedChannel> channels = ClosedLoop.channels(server.port, CHANNELS);
      try {
        ClosedLoop.run(channels, PEAK_CALLS, PEAK_IN_FLIGHT, UnaryCall.ENQUEUE);
        for (int run = 1; run <= runs; run++) {
          for (double factor : FACTORS) {
            long begin = System.nanoTime();
            ClosedLoop.run(channels, PEAK_CALLS, PEAK_IN_FLIGHT, UnaryCall.ENQUEUE);
            double peak = PEAK_CALLS / ((System.nanoTime() - begin) / 1e9);
            offer(run, channels, factor, peak);
          }
        }
      } finally {
        channels.forEach(ManagedChannel::shutdownNow);
      }
    }
  }

  private static void offer(int run, List<ManagedChannel> channels, double factor, double peak)
      throws InterruptedException {
    double rate = factor * peak;
    int calls = (int) (rate * SECONDS);
    Tally tally = new Tally(calls);
    long begin = System.nanoTime();
    for (int i = 0; i < calls; i++) {
      long due = begin + (long) (i / rate * 1e9);
      while (due - System.nanoTime() > 0) {
        LockSupport.parkNanos(due - System.nanoTime());
      }
      // Counted from when the call was due: a client that is late hides nothing.
      UnaryCall.ENQUEUE.start(channels.get(i % CHANNELS), TIMEOUT_MILLIS, tally.call(due));
    }
    tally.all.await(TIMEOUT_MILLIS + 60_000, TimeUnit.MILLISECONDS);
    double seconds = (tally.lastNanos - begin) / 1e9;
    tally.print(run, factor, peak, seconds);
  }

  /** What became of the calls. */
  private static final class Tally {
    private final CountDownLatch all;
    private final long[] latencies;
    private final AtomicInteger answered = new AtomicInteger();
    private final AtomicInteger refused = new AtomicInteger();
    private final AtomicInteger late = new AtomicInteger();
    private volatile long lastNanos;

    Tally(int calls) {
      all = new CountDownLatch(calls);
      latencies = new long[calls];
    }

    StreamObserver<Object> call(long due) {
      return new StreamObserver<>() {
        @Override
        public void onNext(Object response) {}

        @Override
        public void onError(Throwable failure) {
          boolean tooLate =
              Status.fromThrowable(failure).getCode() == Status.Code.DEADLINE_EXCEEDED;
          (tooLate ? late : refused).incrementAndGet();
          end();
        }

        @Override
        public void onCompleted() {
          latencies[answered.getAndIncrement()] = System.nanoTime() - due;
          end();
        }

        private void end() {
          lastNanos = System.nanoTime();
          all.countDown();
        }
      };
    }

    void print(int run, double factor, double peak, double seconds) {
      int count = answered.get();
      long[] sorted = Arrays.copyOf(latencies, count);
      Arrays.sort(sorted);
      System.out.printf(
          "| %d | %.1f | %.2f | %d | %d | %.1f | %.1f |%n",
          run,
          factor,
          count / seconds / peak,
          refused.get(),
          late.get(),
          count == 0 ? 0 : sorted[count / 2] / 1e6,
          count == 0 ? 0 : sorted[(int) (count * 0.99)] / 1e6);
    }
  }
}
