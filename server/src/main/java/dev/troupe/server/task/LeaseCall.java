package dev.troupe.server.task;

import dev.troupe.v1.LeasedTask;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

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
  private @Nullable Throwable whenNothing;

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

  /** The server stops; a round of leasing under way may still bring something. */
  void stop(Throwable refusal) {
    boolean idle;
    synchronized (this) {
      timedOut = true;
      whenNothing = refusal;
      idle = reserved == 0;
    }
    if (idle) {
      answer.completeExceptionally(refusal);
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
    Throwable refusal;
    synchronized (this) {
      reserved = 0;
      done = timedOut || !tasks.isEmpty();
      refusal = whenNothing;
    }
    if (tasks.isEmpty() && refusal != null) {
      answer.completeExceptionally(refusal);
    } else if (done && !answer.complete(tasks)) {
      tasks.forEach(giveBack);
    }
  }

  @Override
  public void replaced() {
    // There is no stream to replace.
  }
}
