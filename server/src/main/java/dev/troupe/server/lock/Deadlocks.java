package dev.troupe.server.lock;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.inject.Inject;
import dev.troupe.server.lock.FailedSearches.Start;
import dev.troupe.server.redis.Namespaces;
import dev.troupe.server.redis.Partition;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Finds circles of owners who wait for each other, over all partitions, when a wait begins that may
 * have closed one: that of an owner who holds or waits for something else.
 *
 * <p>The last wait of a circle sees all the others, as each looks only after its wait is written.
 * Partitions are read one after the other, so that a circle may be made of pieces which never were
 * at the same time: it is walked a second time, and if all its waits are still there, they were
 * together in between, and nothing but a refusal ends it. Whoever finds it refuses the same one,
 * the youngest wait.
 */
final class Deadlocks {

  private static final int MOST_OWNERS = 10_000;
  private static final int OWNERS_PER_SCRIPT = 64;

  /** Bytes of a circle that are told: they stand in trailers, of which clients take 8 KiB. */
  private static final int MOST_IN_WORDS = 2000;

  /** How often a search goes on after a circle that was none. */
  private static final int MOST_PHANTOMS = 16;

  /** After which a search is taken for failed; each of its commands fails much sooner. */
  private static final int PATIENCE_SECONDS = 60;

  /** What a search came upon. */
  private enum Found {
    NOTHING,
    /** Pieces that never were at the same time. */
    PHANTOM,
    /** One that is open now, by whomever. */
    CIRCLE
  }

  private final LockStore store;
  private final Namespaces namespaces;

  /** Searches under way; true when another wait of the owner began meanwhile. */
  private final Map<Start, Boolean> searches = new ConcurrentHashMap<>();

  private final FailedSearches failed;

  @Inject
  Deadlocks(LockStore store, Namespaces namespaces, ScheduledExecutorService timers) {
    this.store = store;
    this.namespaces = namespaces;
    this.failed = new FailedSearches(timers, start -> search(start, MOST_PHANTOMS));
  }

  /**
   * Looks for circles that a new wait closed, and refuses one wait of each.
   *
   * @param entangled whether the owner holds or waits for more in the wait's own partition
   */
  void look(Partition partition, Wish wish, boolean entangled) {
    Start start = new Start(partition.namespace(), wish.owner());
    namespaces
        .partitions(start.namespace())
        .thenCompose(
            partitions ->
                entangled
                    ? CompletableFuture.completedFuture(true)
                    : isEntangled(partitions, partition, wish.owner()))
        .thenAccept(
            more -> {
              if (more) {
                search(start, MOST_PHANTOMS);
              }
            })
        .exceptionally(
            failure -> {
              failed.failed(start, failure);
              return null;
            });
  }

  private CompletionStage<Boolean> isEntangled(
      List<Partition> partitions, Partition but, String owner) {
    CompletionStage<Boolean> any = CompletableFuture.completedFuture(false);
    for (Partition other : partitions) {
      if (!other.equals(but)) {
        any = any.thenCombine(store.isEntangled(other, owner), Boolean::logicalOr);
      }
    }
    return any;
  }

  /** One search of an owner at a time: a thousand waits of one owner need not a thousand. */
  private void search(Start start, int phantoms) {
    if (searches.merge(start, false, (running, begun) -> true)) {
      return;
    }
    begun(start)
        .orTimeout(PATIENCE_SECONDS, TimeUnit.SECONDS)
        .whenComplete(
            (found, failure) -> {
              boolean again = Boolean.TRUE.equals(searches.remove(start));
              if (failure != null) {
                failed.failed(start, failure);
                return;
              }
              failed.succeeded(start);
              // There may be another circle beside the one that was found.
              if (again || found == Found.CIRCLE) {
                search(start, MOST_PHANTOMS);
              } else if (found == Found.PHANTOM && phantoms > 0) {
                search(start, phantoms - 1);
              }
            });
  }

  private CompletableFuture<Found> begun(Start start) {
    try {
      return circle(start.namespace(), start.owner()).toCompletableFuture();
    } catch (RuntimeException refused) {
      return CompletableFuture.failedFuture(refused);
    }
  }

  /** Looks for a circle through the owner, and opens it. */
  private CompletionStage<Found> circle(String namespace, String owner) {
    return namespaces
        .partitions(namespace)
        .thenCompose(
            partitions ->
                walk(partitions, owner)
                    .thenCompose(
                        circle ->
                            circle.isEmpty()
                                ? CompletableFuture.completedFuture(Found.NOTHING)
                                : confirm(partitions, circle)
                                    .thenCompose(
                                        stands ->
                                            stands
                                                ? open(circle).thenApply(opened -> Found.CIRCLE)
                                                : CompletableFuture.completedFuture(
                                                    Found.PHANTOM))));
  }

  /** The waits that lead from an owner back to itself; none when there is no circle. */
  private CompletionStage<List<Blocking>> walk(List<Partition> partitions, String owner) {
    return step(
        partitions, owner, new ArrayDeque<>(List.of(owner)), new HashMap<>(), new HashSet<>());
  }

  /** Looks whom those at the head of the queue wait for; {@code reached} says by what. */
  private CompletionStage<List<Blocking>> step(
      List<Partition> partitions,
      String owner,
      Deque<String> queue,
      Map<String, Blocking> reached,
      Set<String> asked) {
    List<String> owners = new ArrayList<>();
    while (!queue.isEmpty() && owners.size() < OWNERS_PER_SCRIPT) {
      String next = queue.remove();
      if (asked.add(next)) {
        owners.add(next);
      }
    }
    if (owners.isEmpty() || asked.size() > MOST_OWNERS) {
      return CompletableFuture.completedFuture(List.of());
    }
    return blockers(partitions, owners)
        .thenCompose(
            rows -> {
              for (Blocking row : rows) {
                if (reached.putIfAbsent(row.blocker(), row) == null) {
                  queue.add(row.blocker());
                }
              }
              return reached.containsKey(owner)
                  ? CompletableFuture.completedFuture(path(owner, reached))
                  : step(partitions, owner, queue, reached, asked);
            });
  }

  private static List<Blocking> path(String owner, Map<String, Blocking> reached) {
    List<Blocking> path = new ArrayList<>();
    String at = owner;
    do {
      Blocking row = reached.get(at);
      if (row == null) {
        return List.of();
      }
      path.add(0, row);
      at = row.owner();
    } while (!at.equals(owner));
    return path;
  }

  private CompletionStage<List<Blocking>> blockers(
      List<Partition> partitions, List<String> owners) {
    CompletionStage<List<Blocking>> all = CompletableFuture.completedFuture(new ArrayList<>());
    for (Partition partition : partitions) {
      all =
          all.thenCombine(
              store.blockers(partition, owners),
              (found, more) -> {
                found.addAll(more);
                return found;
              });
    }
    return all;
  }

  private CompletionStage<Boolean> confirm(List<Partition> partitions, List<Blocking> circle) {
    List<String> owners = circle.stream().map(Blocking::owner).distinct().toList();
    CompletionStage<Set<Blocking>> there = CompletableFuture.completedFuture(new HashSet<>());
    for (int from = 0; from < owners.size(); from += OWNERS_PER_SCRIPT) {
      int end = Math.min(owners.size(), from + OWNERS_PER_SCRIPT);
      there =
          there.thenCombine(
              blockers(partitions, owners.subList(from, end)),
              (found, rows) -> {
                found.addAll(rows);
                return found;
              });
    }
    return there.thenApply(rows -> rows.containsAll(circle));
  }

  private CompletionStage<Boolean> open(List<Blocking> circle) {
    Blocking youngest =
        circle.stream()
            .max(Comparator.comparingLong(Blocking::number).thenComparing(Blocking::waitId))
            .orElseThrow();
    return store.refuse(youngest.partition(), youngest.waitId(), inWords(circle));
  }

  private static String inWords(List<Blocking> circle) {
    StringBuilder words = new StringBuilder();
    int bytes = 0;
    for (Blocking row : circle) {
      String one = row.owner() + " waits for " + row.lock() + " behind " + row.blocker();
      bytes += one.getBytes(UTF_8).length;
      if (bytes > MOST_IN_WORDS && !words.isEmpty()) {
        return words.append("; and so on").toString();
      }
      words.append(words.isEmpty() ? "" : "; ").append(one);
    }
    return words.toString();
  }
}
