package dev.troupe.server.task;

import dev.troupe.v1.LeasedTask;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * A call of {@code Lease} that waits for its first task. What arrives after the caller gave up is
 * handed back.
 */
final class LeaseCall implements LeaseTaker {

  private final String worker;
  private final int most;
  private final Consumer<LeasedTask> giveBack;
  private final CompletableFuture<List<LeasedTask>> answer = new CompletableFuture<>();
  private int reserved;
  private boolean timedOut;

  LeaseCall(String worker, int most, Consumer<LeasedTask> giveBack) {
    this.worker = worker;
    this.most = most;
    this.giveBack = giveBack;
  }

  /** The tasks, or none. */
  CompletableFuture<List<LeasedTask>> answer() {
    return answer;
  }

  /** The time is up; a round of leasing under way may still bring something. */
  void timeout() {
    boolean idle;
    synchronized (this) {
      timedOut = true;
      idle = reserved == 0;
    }
    if (idle) {
      answer.complete(List.of());
    }
  }

  /** The caller is gone. */
  void abandon() {
    answer.complete(List.of());
  }

  @Override
  public String worker() {
    return worker;
  }

  @Override
  public long epoch(QueueId queue) {
    return 0;
  }

  @Override
  public synchronized int reserve(int wanted) {
    if (answer.isDone() || timedOut || reserved > 0) {
      return 0;
    }
    reserved = Math.min(wanted, most);
    return reserved;
  }

  @Override
  public void settle(QueueId queue, int count, List<LeasedTask> tasks) {
    boolean done;
    synchronized (this) {
      reserved = 0;
      done = timedOut || !tasks.isEmpty();
    }
    if (done && !answer.complete(tasks)) {
      tasks.forEach(giveBack);
    }
  }

  @Override
  public void replaced() {
    // There is no stream to replace.
  }
}
