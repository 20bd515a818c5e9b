package dev.troupe.examples.survey;

import dev.troupe.client.TroupeClient;
import java.io.IOException;
import java.util.List;
import java.util.function.BooleanSupplier;

/**
 * Kills workers in the middle of their work and measures how long what they held took to run
 * elsewhere. To be sure to catch one in the act, a task is made to take long in its first attempt,
 * and whoever gets it is the one.
 */
final class KillDrill {

  /** How long the bait keeps its worker: until the kill, but not for ever. */
  static final long BAIT_MILLIS = 120_000;

  /** Waits until a condition over the board holds; throws when nothing moves any more. */
  interface Waiting {
    void until(BooleanSupplier condition) throws InterruptedException;
  }

  /**
   * One kill.
   *
   * @param held how many tasks the worker held
   * @param againSeconds from the kill until the last of them was leased by another worker
   * @param doneSeconds from the kill until the last of them had ended
   */
  record Kill(String worker, String file, int held, double againSeconds, double doneSeconds) {}

  private final TroupeClient client;
  private final String queue;
  private final Board board;
  private final Fleet fleet;
  private final Waiting waiting;

  KillDrill(TroupeClient client, String queue, Board board, Fleet fleet, Waiting waiting) {
    this.client = client;
    this.queue = queue;
    this.board = board;
    this.fleet = fleet;
    this.waiting = waiting;
  }

  /** Kills whoever gets this file. */
  Kill kill(String file, Runnable inTheMiddle) throws InterruptedException, IOException {
    String bait = Tasks.idOf(file);
    client.blockingTasks().enqueue(queue, Tasks.of(file, BAIT_MILLIS, 9));
    waiting.until(() -> board.holder(bait) != null);
    String victim = String.valueOf(board.holder(bait));
    inTheMiddle.run();
    // The bait does not end by itself, so the victim holds at least one task.
    fleet.kill(victim);
    long killed = System.nanoTime();
    List<String> held = board.heldBy(victim);
    waiting.until(() -> held.stream().allMatch(board::hasEnded));
    long again = held.stream().mapToLong(board::leasedNanos).max().orElse(killed);
    long done = held.stream().mapToLong(board::endedNanos).max().orElse(killed);
    fleet.replace(victim);
    return new Kill(victim, file, held.size(), (again - killed) / 1e9, (done - killed) / 1e9);
  }
}
