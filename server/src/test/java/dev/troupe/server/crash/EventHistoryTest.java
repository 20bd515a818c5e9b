package dev.troupe.server.crash;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.server.event.history.EventHistoryRun;
import dev.troupe.server.event.history.EventHistoryRun.Figures;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Random runs of publishers, subscriptions and a group on two servers while these and Redis are
 * killed and paused, and Redis loses the end of its file. The property {@value #RUNS} asks for more
 * of them, as {@code ./troupe soak events} does, and {@value #SEED} for those of a seed and those
 * that follow it.
 */
final class EventHistoryTest {

  private static final String RUNS = "troupe.soak.runs";
  private static final String SEED = "troupe.soak.seed";
  private static final int FEW = 4;

  /** More runs on one Redis would make its file long, and its starts slow. */
  private static final int RUNS_PER_REDIS = 10;

  @ParameterizedTest
  @ValueSource(strings = {"always", "everysec"})
  void eventsAreNeitherLostNorOutOfOrderWhileServersAndRedisAreKilled(String fsync)
      throws Exception {
    int runs = Math.max(1, Integer.getInteger(RUNS, FEW) / 2);
    long firstSeed = Long.getLong(SEED, System.currentTimeMillis());
    Figures sum = Figures.NONE;
    List<String> wrong = new ArrayList<>();
    long begun = System.nanoTime();
    for (int from = 0; from < runs; from += RUNS_PER_REDIS) {
      int upTo = Math.min(runs, from + RUNS_PER_REDIS);
      try (HistoryMachines machines = new HistoryMachines(fsync)) {
        for (int i = from; i < upTo; i++) {
          EventHistoryRun run = new EventHistoryRun(machines, firstSeed + i);
          List<String> violations = run.run();
          if (!violations.isEmpty()) {
            String which =
                String.format(
                    "%s, seed %d (again: -D%s=%2$d -D%s=2), %s:",
                    fsync, firstSeed + i, SEED, RUNS, run);
            System.out.println(which + "\n  " + String.join("\n  ", violations));
            wrong.add(which + " " + violations.get(0));
          }
          sum = sum.plus(run.figures());
        }
        wrong.addAll(machines.faults());
      }
      System.out.printf(
          "event history, %s, seeds from %d: %d runs, %s, %d s%n",
          fsync, firstSeed, upTo, sum, (System.nanoTime() - begun) / 1_000_000_000);
    }
    assertThat(wrong).isEmpty();
  }
}
