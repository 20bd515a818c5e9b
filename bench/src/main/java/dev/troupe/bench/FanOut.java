package dev.troupe.bench;

import com.google.common.base.Splitter;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * What it costs to hand each event of one topic to many subscribers, beside an empty push and NATS.
 */
final class FanOut {

  private static final int[] SUBSCRIBERS = subscribers();
  private static final int MOST = 1000;
  private static final int STALLED = 10;
  private static final int RATE = 50;
  private static final int DATA_BYTES = 200;

  private static final Duration WARM_UP = Duration.ofSeconds(8);
  private static final Duration PACED = Duration.ofSeconds(10);
  private static final Duration SETTLE = Duration.ofSeconds(10);
  private static final Duration SATURATED = Duration.ofSeconds(8);

  /** Events that are on their way while as many as possible are sent. */
  private static final int[] WINDOWS = {16, 100, 1600};

  private final FigureTable paced =
      new FigureTable(
          RATE + " events/s to",
          "%.2f",
          "deliveries/s",
          "p50 ms",
          "p99 ms",
          "server CPU % of a core",
          "server CPU µs per delivery",
          "store CPU % of a core",
          "store commands per event",
          "heap KB per subscriber",
          "load average");
  private final FigureTable saturated =
      new FigureTable(
          "as many events as it takes to",
          "%.2f",
          "events/s",
          "deliveries/s",
          "p50 ms",
          "p99 ms",
          "server CPU µs per delivery",
          "store commands per event",
          "client CPU µs per delivery",
          "load average");
  private final FigureTable stalled =
      new FigureTable(
          RATE + " events/s to " + MOST,
          "%.2f",
          "p50 ms",
          "p99 ms",
          "server CPU % of a core",
          "load average");

  /** Calls that are under way at most: a server refuses more while it is slow. */
  private static final int CALLS = 100;

  private FanOut() {}

  /** Fewer loads than usual are for trying things out. */
  private static int[] subscribers() {
    String wanted = Optional.ofNullable(System.getenv("BENCH_SUBSCRIBERS")).orElse("1,10,100,1000");
    return Splitter.on(',').splitToStream(wanted).mapToInt(Integer::parseInt).toArray();
  }

  /** Prints a table row per load, peer and run, and the medians. */
  static void measure(Path jar, String fsync, int runs) throws Exception {
    FanOut fanOut = new FanOut();
    for (int run = 1; run <= runs; run++) {
      System.err.printf("run %d of %d (about 10 minutes, 15 with NATS)%n", run, runs);
      try (FanOutPeer troupe = TroupeFanOut.start(jar, fsync)) {
        fanOut.measure(troupe);
        fanOut.stall(troupe);
      }
      try (FanOutPeer push = EmptyPushFanOut.start(jar)) {
        fanOut.measure(push);
      }
      try (FanOutPeer nats = NatsFanOut.start()) {
        fanOut.measure(nats);
      } catch (UnavailableException e) {
        System.err.println("left out: " + e.getMessage());
      }
    }
    System.out.printf("Redis with fsync %s, all data on %s%n", fsync, Scratch.fileSystem());
    fanOut.paced.printRuns();
    fanOut.saturated.printRuns();
    fanOut.stalled.printRuns();
    System.out.println();
    System.out.println(
        "Goals for 1000 subscribers: at 50 events/s at most 20 % of a core, p50 3 ms, p99 25 ms"
            + " once warm; 400,000 deliveries/s; p99 at most 20 % higher beside 10 that stall.");
  }

  /** Deliveries since the load began, and how long they took. */
  private static final class Load implements FanOutPeer.Received {
    final AtomicLong received = new AtomicLong();
    volatile Delays delays = new Delays();

    @Override
    public void at(int connection, long sentNanos) {
      delays.add(System.nanoTime() - sentNanos);
      received.incrementAndGet();
    }
  }

  private void measure(FanOutPeer peer) throws Exception {
    for (int subscribers : SUBSCRIBERS) {
      double heap = peer.heap();
      Load load = new Load();
      AutoCloseable open = peer.subscribe(subscribers, load);
      try {
        String row = subscribers + ", " + peer.label();
        double each = (peer.heap() - heap) / 1024 / subscribers;
        pace(peer, load, subscribers, WARM_UP);
        addPaced(row + ", just begun", peer, load, subscribers, each);
        for (int window : WINDOWS) {
          saturate(peer, load, subscribers, window, SATURATED.dividedBy(4));
          Observed full =
              observe(peer, load, () -> saturate(peer, load, subscribers, window, SATURATED));
          saturated.add(
              row + ", " + window + " events under way",
              full.deliveries / full.seconds / subscribers,
              full.deliveries / full.seconds,
              full.p50Millis,
              full.p99Millis,
              1e6 * full.serverCpu / full.deliveries,
              full.commands * subscribers / full.deliveries,
              1e6 * full.clientCpu / full.deliveries,
              full.loadAverage);
        }
        addPaced(row + ", warm", peer, load, subscribers, each);
      } finally {
        open.close();
      }
      // Until the server has let go of the events that nobody reads any more.
      Thread.sleep(SETTLE.toMillis());
    }
  }

  private void addPaced(String row, FanOutPeer peer, Load load, int subscribers, double heapEach)
      throws Exception {
    Observed seen = observe(peer, load, () -> pace(peer, load, subscribers, PACED));
    paced.add(
        row,
        seen.deliveries / seen.seconds,
        seen.p50Millis,
        seen.p99Millis,
        100 * seen.serverCpu / seen.seconds,
        1e6 * seen.serverCpu / seen.deliveries,
        100 * seen.storeCpu / seen.seconds,
        seen.commands * subscribers / seen.deliveries,
        heapEach,
        seen.loadAverage);
  }

  private void stall(FanOutPeer peer) throws Exception {
    Load load = new Load();
    AutoCloseable open = peer.subscribe(MOST - STALLED, load);
    try {
      pace(peer, load, MOST - STALLED, WARM_UP);
      for (int i = 0; i < 2; i++) {
        add("none stalled", observe(peer, load, () -> pace(peer, load, MOST - STALLED, PACED)));
        AutoCloseable stuck = peer.stall(STALLED);
        try {
          pace(peer, load, MOST - STALLED, WARM_UP);
          add(
              STALLED + " stalled",
              observe(peer, load, () -> pace(peer, load, MOST - STALLED, PACED)));
        } finally {
          stuck.close();
        }
      }
    } finally {
      open.close();
    }
  }

  private void add(String row, Observed seen) {
    stalled.add(
        row, seen.p50Millis, seen.p99Millis, 100 * seen.serverCpu / seen.seconds, seen.loadAverage);
  }

  private interface Loading {
    void run() throws Exception;
  }

  /** What a load took, from its beginning until all is delivered. Processor time in seconds. */
  private record Observed(
      double seconds,
      long deliveries,
      double p50Millis,
      double p99Millis,
      double serverCpu,
      double storeCpu,
      double clientCpu,
      double commands,
      double loadAverage) {}

  private static Observed observe(FanOutPeer peer, Load load, Loading loading) throws Exception {
    Delays delays = new Delays();
    load.delays = delays;
    long received = load.received.get();
    Duration server = peer.serverCpu();
    Duration store = peer.storeCpu();
    Duration client = ownCpu();
    double commands = peer.storeCommands();
    long begin = System.nanoTime();
    loading.run();
    return new Observed(
        (System.nanoTime() - begin) / 1e9,
        load.received.get() - received,
        delays.quantile(0.5) / 1e6,
        delays.quantile(0.99) / 1e6,
        seconds(server, peer.serverCpu()),
        seconds(store, peer.storeCpu()),
        seconds(client, ownCpu()),
        peer.storeCommands() - commands,
        ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage());
  }

  private static Duration ownCpu() {
    return ProcessHandle.current().info().totalCpuDuration().orElse(Duration.ZERO);
  }

  private static double seconds(Duration before, Duration after) {
    return after.minus(before).toNanos() / 1e9;
  }

  /** Evenly, however late one of them is: its delay counts from when it was due. */
  private static void pace(FanOutPeer peer, Load load, int subscribers, Duration time)
      throws Exception {
    long before = load.received.get();
    long begin = System.nanoTime();
    int events = (int) (RATE * time.toSeconds());
    List<CompletableFuture<?>> sent = new ArrayList<>();
    for (int i = 0; i < events; i++) {
      long due = begin + i * TimeUnit.SECONDS.toNanos(1) / RATE;
      while (due - System.nanoTime() > 0) {
        LockSupport.parkNanos(due - System.nanoTime());
      }
      sent.add(peer.publish(List.of(data(due))).toCompletableFuture());
    }
    for (CompletableFuture<?> each : sent) {
      each.get(30, TimeUnit.SECONDS);
    }
    await(load, before + (long) events * subscribers);
  }

  /** So many events under way at a time: one is over when the slowest subscriber may have it. */
  private static void saturate(
      FanOutPeer peer, Load load, int subscribers, int window, Duration time) throws Exception {
    long before = load.received.get();
    long end = System.nanoTime() + time.toNanos();
    int batch = Math.max(1, window / CALLS);
    Semaphore unanswered = new Semaphore(window / batch);
    AtomicLong events = new AtomicLong();
    while (System.nanoTime() - end < 0) {
      if (events.get() - (load.received.get() - before) / subscribers > window - batch
          || !unanswered.tryAcquire(1, TimeUnit.MILLISECONDS)) {
        LockSupport.parkNanos(50_000);
        continue;
      }
      events.addAndGet(batch);
      peer.publish(Collections.nCopies(batch, data(System.nanoTime())))
          .whenComplete(
              (answer, failure) -> {
                if (failure != null) {
                  // Refused, as there is too much to do.
                  events.addAndGet(-batch);
                }
                unanswered.release();
              });
    }
    unanswered.acquire(window / batch);
    await(load, before + events.get() * subscribers);
  }

  private static byte[] data(long nanos) {
    return ByteBuffer.allocate(DATA_BYTES).putLong(nanos).array();
  }

  private static void await(Load load, long deliveries)
      throws InterruptedException, TimeoutException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (load.received.get() < deliveries) {
      if (System.nanoTime() - end > 0) {
        throw new TimeoutException(deliveries - load.received.get() + " deliveries are missing");
      }
      LockSupport.parkNanos(1_000_000);
    }
  }
}
