package dev.troupe.server.lock.history;

import dev.troupe.v1.LockChange;
import dev.troupe.v1.LockMode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Compares what the clients saw, and what the servers logged, with what locks promise: those who
 * hold a lock at the same time may do so, tokens only rise, nothing was granted that the log does
 * not know, and waits are served in their order.
 */
final class HistoryCheck {

  private final int semaphore;
  private final List<String> violations = new ArrayList<>();

  HistoryCheck(int semaphore) {
    this.semaphore = semaphore;
  }

  List<String> violations() {
    return violations;
  }

  /** No two clients were sure of what only one may have. */
  void tenures(List<Tenure> tenures) {
    Map<String, List<Tenure>> byLock = new HashMap<>();
    tenures.forEach(one -> byLock.computeIfAbsent(one.lock(), l -> new ArrayList<>()).add(one));
    byLock.forEach(this::overlaps);
  }

  private void overlaps(String lock, List<Tenure> tenures) {
    List<Tenure> inOrder = new ArrayList<>(tenures);
    inOrder.sort((a, b) -> Long.compare(a.fromNanos(), b.fromNanos()));
    List<Tenure> open = new ArrayList<>();
    for (Tenure one : inOrder) {
      open.removeIf(other -> other.untilNanos() <= one.fromNanos());
      int permits = one.permits();
      for (Tenure other : open) {
        permits += other.permits();
        boolean together = one.mode() == other.mode() && one.mode() != LockMode.LOCK_MODE_EXCLUSIVE;
        if (!together) {
          violations.add("held at the same time: " + other + " and " + one);
        }
      }
      if (one.mode() == LockMode.LOCK_MODE_SEMAPHORE && permits > semaphore) {
        violations.add("too many permits of " + lock + ": " + open + " and " + one);
      }
      open.add(one);
    }
  }

  /**
   * The log of one partition is one life of every lock after the other.
   *
   * @return the changes that it was made of
   */
  long log(List<LockChange> changes, List<Tenure> tenures) {
    Map<String, TreeMap<Long, LockChange>> holders = new HashMap<>();
    Map<String, Long> lastToken = new HashMap<>();
    Map<String, Long> lastWait = new HashMap<>();
    Map<String, Map<Long, String>> granted = new HashMap<>();
    for (LockChange change : changes) {
      String lock = change.getName();
      TreeMap<Long, LockChange> now = holders.computeIfAbsent(lock, l -> new TreeMap<>());
      switch (change.getKind()) {
        case LOCK_CHANGE_KIND_ACQUIRED -> {
          acquired(change, now);
          rises(lastToken, lock, change.getFencingToken(), change);
          if (change.getWaitNumber() > 0) {
            rises(lastWait, lock, change.getWaitNumber(), change);
          }
          now.put(change.getFencingToken(), change);
          granted
              .computeIfAbsent(lock, l -> new HashMap<>())
              .put(change.getFencingToken(), change.getOwner());
        }
        default -> {
          if (change.getFencingToken() > 0 && now.remove(change.getFencingToken()) == null) {
            violations.add("ended without having begun: " + change);
          }
        }
      }
    }
    for (Tenure tenure : tenures) {
      if (!tenure
          .owner()
          .equals(granted.getOrDefault(tenure.lock(), Map.of()).get(tenure.token()))) {
        violations.add("held without a grant in the log: " + tenure);
      }
    }
    return changes.size();
  }

  private void acquired(LockChange change, TreeMap<Long, LockChange> now) {
    int permits = change.getPermits();
    for (LockChange other : now.values()) {
      permits += other.getPermits();
      if (other.getMode() != change.getMode() || change.getMode() == LockMode.LOCK_MODE_EXCLUSIVE) {
        violations.add("granted beside " + other + ": " + change);
      }
    }
    if (change.getMode() == LockMode.LOCK_MODE_SEMAPHORE && permits > semaphore) {
      violations.add("granted too many permits: " + change);
    }
  }

  private void rises(Map<String, Long> last, String lock, long number, LockChange change) {
    Long before = last.put(lock, number);
    if (before != null && before >= number) {
      violations.add("does not rise after " + before + ": " + change);
    }
  }
}
