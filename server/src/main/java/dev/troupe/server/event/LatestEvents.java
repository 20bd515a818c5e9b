package dev.troupe.server.event;

import dev.troupe.server.log.LogEntry;
import dev.troupe.server.log.LogPosition;
import dev.troupe.server.log.OlderEntries;
import dev.troupe.server.log.PartitionLogs;
import dev.troupe.server.log.PartitionLogs.LogHead;
import dev.troupe.server.redis.Partition;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Looks back from the ends of some logs for the newest so many events that match, all partitions
 * together, and finds where to begin in each to get just them. Reads one partition after the other,
 * page by page, and no further back than what it has already, nor than the newest 100,000 entries
 * of a partition. For one subscription.
 */
final class LatestEvents {

  private static final int PAGE = 500;
  private static final int MOST_LOOKED_AT = 100_000;

  private final PartitionLogs logs;
  private final Function<Partition, @Nullable OlderEntries> older;
  private final Predicate<LogEntry> wanted;
  private final int count;
  private final Map<Partition, Begin> begins = new HashMap<>();

  /** The newest found so far, the oldest of them first. */
  private final PriorityQueue<Found> newest =
      new PriorityQueue<>(Comparator.comparing(Found::position));

  private record Found(Partition partition, LogPosition position) {}

  /**
   * Where to begin in a partition.
   *
   * @param behindWhatIsGone whether some of what lies behind may have been lost before, and so was
   *     not found either
   */
  record Begin(LogHead head, boolean behindWhatIsGone) {}

  /**
   * Nothing is found yet.
   *
   * @param older what a partition has from before its log begins
   */
  LatestEvents(
      PartitionLogs logs,
      Function<Partition, @Nullable OlderEntries> older,
      Predicate<LogEntry> wanted,
      int count) {
    this.logs = logs;
    this.older = older;
    this.wanted = wanted;
    this.count = count;
  }

  /** Where to begin in each partition; its present end where none of them is. */
  CompletionStage<Map<Partition, Begin>> begins(Collection<Partition> partitions) {
    return next(List.copyOf(partitions).iterator());
  }

  private CompletionStage<Map<Partition, Begin>> next(Iterator<Partition> left) {
    if (!left.hasNext()) {
      for (Found found : newest) {
        begins.merge(found.partition(), before(found), LatestEvents::older);
      }
      return CompletableFuture.completedFuture(begins);
    }
    Partition partition = left.next();
    return logs.head(partition)
        .thenCompose(
            head -> {
              begins.put(partition, new Begin(head, false));
              LogPosition end = head.position();
              // The newest entry itself is among those that are looked at.
              LogPosition behind = new LogPosition(end.millis(), end.order() + 1, -1);
              return back(partition, older.apply(partition), behind, MOST_LOOKED_AT);
            })
        .thenCompose(done -> next(left));
  }

  /** True when nothing further back is of interest. */
  private CompletionStage<Boolean> back(
      Partition partition, @Nullable OlderEntries history, LogPosition before, int left) {
    return logs.back(partition, before, Math.min(PAGE, left), history)
        .thenCompose(
            page -> {
              for (LogEntry entry : page) {
                if (isTooOld(entry.position())) {
                  return CompletableFuture.completedFuture(true);
                }
                if (wanted.test(entry)) {
                  take(new Found(partition, entry.position()));
                }
              }
              int then = left - page.size();
              return page.isEmpty() || then == 0
                  ? CompletableFuture.completedFuture(true)
                  : back(partition, history, page.get(page.size() - 1).position(), then);
            });
  }

  private boolean isTooOld(LogPosition position) {
    Found oldest = newest.peek();
    return newest.size() == count && oldest != null && position.compareTo(oldest.position()) <= 0;
  }

  private void take(Found found) {
    newest.add(found);
    if (newest.size() > count) {
      newest.remove();
    }
  }

  private Begin before(Found found) {
    Begin end = begins.get(found.partition());
    long epoch = end == null ? 0 : end.head().epoch();
    return new Begin(
        new LogHead(found.position().before(), epoch), older.apply(found.partition()) != null);
  }

  private static Begin older(Begin one, Begin other) {
    return one.head().position().compareTo(other.head().position()) <= 0 ? one : other;
  }
}
