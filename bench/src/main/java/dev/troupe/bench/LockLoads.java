package dev.troupe.bench;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Troupe's locks beside those of others, under the same loads. Within a run each peer has its turn,
 * so that ratios within a run hold on a noisy machine.
 */
final class LockLoads {

  private static final int[] IN_FLIGHT = {64, 256};
  private static final int[] WAITERS = {10, 100, 1000, 5000};
  private static final Duration TIME = Duration.ofSeconds(5);

  private static final String[] PAIR_FORMATS = {"%.0f", "%.0f", "%.0f", "%.1f", "%.1f", "%.1f"};
  private static final String[] HAND_OVER_FORMATS = {"%.0f", "%.2f", "%.2f"};

  private final int runs;

  /** Those that could do all that was asked of them so far. */
  private final List<LockPeer> peers = new ArrayList<>();

  private LockLoads(int runs) {
    this.runs = runs;
  }

  /** Prints a table row per load, run and peer, and the medians of the runs. */
  static void measure(Path jar, String fsync, int runs) throws Exception {
    LockLoads loads = new LockLoads(runs);
    try {
      loads.join(() -> TroupeLocks.byCalls(jar, fsync));
      loads.join(() -> TroupeLocks.byStreams(jar, fsync));
      loads.join(EtcdLocks::start);
      loads.join(() -> RLockLocks.start(fsync, RLockLocks.Tuning.FEW_CONNECTIONS));
      loads.join(() -> RLockLocks.start(fsync, RLockLocks.Tuning.DEFAULTS));
      System.out.printf("Redis with fsync %s, all data on %s%n", fsync, Scratch.fileSystem());
      loads.pairs();
      loads.handOvers();
    } finally {
      for (LockPeer peer : loads.peers) {
        peer.close();
      }
    }
  }

  private interface Start {
    LockPeer start() throws Exception;
  }

  private void join(Start start) throws Exception {
    try {
      peers.add(start.start());
    } catch (UnavailableException e) {
      System.err.println("left out: " + e.getMessage());
    }
  }

  private void pairs() throws Exception {
    for (int inFlight : IN_FLIGHT) {
      for (LockPeer peer : peers) {
        LockPairs.measure(peer, inFlight, TIME);
      }
    }
    System.out.println();
    System.out.println(
        "| in flight | run | peer | pairs per second | p50 µs | p99 µs"
            + " | server CPU µs each | store CPU µs each | client CPU µs each |");
    System.out.println("|---|---|---|---|---|---|---|---|---|");
    for (int inFlight : IN_FLIGHT) {
      measure(inFlight, PAIR_FORMATS, (peer, run) -> LockPairs.measure(peer, inFlight, TIME));
    }
  }

  private void handOvers() throws Exception {
    for (LockPeer peer : peers) {
      LockHandOver.measure(peer, "warm-up", WAITERS[0]);
    }
    System.out.println();
    System.out.println("| waiters | run | peer | hand-overs | p50 ms | p99 ms |");
    System.out.println("|---|---|---|---|---|---|");
    for (int waiters : WAITERS) {
      measure(
          waiters,
          HAND_OVER_FORMATS,
          (peer, run) -> LockHandOver.measure(peer, "queue-" + waiters + "-" + run, waiters));
    }
  }

  private interface Load {
    double[] run(LockPeer peer, int run) throws Exception;
  }

  private void measure(int size, String[] formats, Load load) throws Exception {
    Map<LockPeer, List<double[]>> measured = new LinkedHashMap<>();
    for (int run = 1; run <= runs; run++) {
      for (LockPeer peer : List.copyOf(peers)) {
        try {
          double[] figures = load.run(peer, run);
          measured.computeIfAbsent(peer, any -> new ArrayList<>()).add(figures);
          print(size, Integer.toString(run), peer, cells(formats, figures));
        } catch (ExecutionException | TimeoutException | IllegalStateException e) {
          // What it was asked for is still under way and would spoil what follows.
          print(size, Integer.toString(run), peer, "could not: " + reason(e) + " | | ");
          peers.remove(peer);
          peer.close();
        }
      }
    }
    measured.forEach(
        (peer, all) ->
            print(size, "median of " + all.size(), peer, cells(formats, FigureTable.medians(all))));
  }

  private static String reason(Throwable failure) {
    Throwable cause = failure.getCause();
    if (cause != null) {
      return failure.getMessage() + ": " + cause.getMessage();
    }
    return failure.getMessage() == null ? "no answer in time" : failure.getMessage();
  }

  private static void print(int size, String run, LockPeer peer, String cells) {
    System.out.printf("| %d | %s | %s | %s |%n", size, run, peer.label(), cells);
  }

  private static String cells(String[] formats, double[] figures) {
    return IntStream.range(0, figures.length)
        .mapToObj(i -> figures[i] == 0 ? "–" : String.format(Locale.ROOT, formats[i], figures[i]))
        .collect(Collectors.joining(" | "));
  }
}
