package dev.troupe.examples.survey;

import dev.troupe.client.EventListener;
import dev.troupe.v1.EventDelivery;
import dev.troupe.v1.TaskChange;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What is known of the queue's tasks, from the changes that the server tells. Thread-safe; waits
 * end with the change that they wait for.
 */
final class Board implements EventListener {

  /** Who holds a task, since when by this process's clock, and how often it completed. */
  private static final class Entry {
    @Nullable String holder;
    long leasedNanos;
    long endedNanos;
    int completions;
  }

  private final String queue;
  private final Map<String, Entry> entries = new HashMap<>();
  private final CompletableFuture<Void> live = new CompletableFuture<>();
  private int ended;
  private final Set<String> findings = new TreeSet<>();

  Board(String queue) {
    this.queue = queue;
  }

  @Override
  public void onCaughtUp() {
    live.complete(null);
  }

  /** Done once nothing that happens from now on is missed. */
  CompletableFuture<Void> live() {
    return live;
  }

  @Override
  public void onEvent(EventDelivery delivery) {
    if (delivery.getEvent().hasTask()) {
      changed(delivery.getEvent().getTask());
    } else {
      found(delivery.getEvent().getSubject());
    }
  }

  private synchronized void found(String file) {
    findings.add(file);
    notifyAll();
  }

  private synchronized void changed(TaskChange change) {
    if (!change.getQueue().equals(queue)) {
      return;
    }
    Entry entry = entries.computeIfAbsent(change.getTaskId(), id -> new Entry());
    switch (change.getKind()) {
      case TASK_CHANGE_KIND_LEASED -> {
        entry.holder = change.getWorkerId();
        entry.leasedNanos = System.nanoTime();
      }
      case TASK_CHANGE_KIND_COMPLETED -> {
        entry.completions++;
        end(entry);
      }
      case TASK_CHANGE_KIND_DEAD, TASK_CHANGE_KIND_CANCELLED, TASK_CHANGE_KIND_QUARANTINED ->
          end(entry);
      case TASK_CHANGE_KIND_FAILED, TASK_CHANGE_KIND_EXPIRED, TASK_CHANGE_KIND_RELEASED ->
          entry.holder = null;
      default -> {}
    }
    notifyAll();
  }

  private void end(Entry entry) {
    entry.holder = null;
    if (entry.endedNanos == 0) {
      entry.endedNanos = System.nanoTime();
      ended++;
    }
  }

  /** Waits for a condition over this board; false when it did not come true in time. */
  synchronized boolean await(BooleanSupplier condition, long millis) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    while (!condition.getAsBoolean()) {
      long left = end - System.nanoTime();
      if (left <= 0) {
        return false;
      }
      TimeUnit.NANOSECONDS.timedWait(this, left);
    }
    return true;
  }

  synchronized int ended() {
    return ended;
  }

  /** The files that a finding was published for, by whichever survey. */
  synchronized Set<String> findings() {
    return Set.copyOf(findings);
  }

  /** Who holds a task now, or null. */
  synchronized @Nullable String holder(String taskId) {
    Entry entry = entries.get(taskId);
    return entry == null ? null : entry.holder;
  }

  /** The tasks that a worker holds. */
  synchronized List<String> heldBy(String worker) {
    List<String> held = new ArrayList<>();
    entries.forEach(
        (id, entry) -> {
          if (worker.equals(entry.holder)) {
            held.add(id);
          }
        });
    return held;
  }

  synchronized boolean hasEnded(String taskId) {
    Entry entry = entries.get(taskId);
    return entry != null && entry.endedNanos != 0;
  }

  /** When it was last leased, by {@link System#nanoTime}. */
  synchronized long leasedNanos(String taskId) {
    Entry entry = entries.get(taskId);
    return entry == null ? 0 : entry.leasedNanos;
  }

  synchronized long endedNanos(String taskId) {
    Entry entry = entries.get(taskId);
    return entry == null ? 0 : entry.endedNanos;
  }

  /** Tasks that were recorded as completed more than once: there must be none. */
  synchronized List<String> completedTwice() {
    List<String> twice = new ArrayList<>();
    entries.forEach(
        (id, entry) -> {
          if (entry.completions > 1) {
            twice.add(id);
          }
        });
    return twice;
  }
}
