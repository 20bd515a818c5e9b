package dev.troupe.server.event;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import com.google.inject.Inject;
import dev.troupe.server.event.EventStore.Outcome.Published;
import dev.troupe.server.event.OutboxStore.Written;
import dev.troupe.server.outbox.Outbox;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.PartitionSweep.Swept;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries events from outboxes to their topics.
 *
 * <p>An event is taken out once it is in its topic, so a crash in between repeats it, under the
 * same source and id, which its topic takes for a duplicate. Whoever carries begins with the oldest
 * and passes over nothing of a partition that did not take one, so the order holds, also when two
 * servers carry the same. Thread-safe.
 */
final class OutboxRelay implements Outbox {

  private static final Logger log = LoggerFactory.getLogger(OutboxRelay.class);

  /** What is younger is being carried by the server that wrote it. */
  private static final Duration LEFT_BEHIND = Duration.ofMillis(500);

  private final OutboxStore outboxes;
  private final EventStore events;

  /** Partitions that this server carries from, and whether something was written meanwhile. */
  @GuardedBy("carrying")
  private final Map<Partition, Boolean> carrying = new HashMap<>();

  @Inject
  OutboxRelay(OutboxStore outboxes, EventStore events) {
    this.outboxes = outboxes;
    this.events = events;
  }

  @Override
  public void written(Partition partition) {
    synchronized (carrying) {
      if (carrying.put(partition, carrying.containsKey(partition)) != null) {
        return;
      }
    }
    carryAll(partition);
  }

  private void carryAll(Partition partition) {
    carry(partition, Duration.ZERO)
        .whenComplete(
            (done, failure) -> {
              if (failure != null) {
                log.debug("the outbox of {} is left to the sweep", partition, failure);
              }
              boolean again;
              synchronized (carrying) {
                again = failure == null && Boolean.TRUE.equals(carrying.get(partition));
                if (again) {
                  carrying.put(partition, false);
                } else {
                  carrying.remove(partition);
                }
              }
              if (again) {
                carryAll(partition);
              }
            });
  }

  /** Carries what a server left behind that was killed or did not reach a topic. */
  CompletionStage<Swept> sweep(Partition partition) {
    return carry(partition, LEFT_BEHIND).thenApply(done -> new Swept(false, -1));
  }

  private CompletionStage<?> carry(Partition partition, Duration age) {
    return carry(partition, age, "", ConcurrentHashMap.newKeySet());
  }

  private CompletionStage<?> carry(
      Partition partition, Duration age, String after, Set<Partition> away) {
    return outboxes
        .read(partition, after, age)
        .thenCompose(
            page -> {
              if (page.isEmpty()) {
                return CompletableFuture.completedFuture(null);
              }
              return publish(partition, page, away)
                  .thenCompose(done -> carry(partition, age, page.get(page.size() - 1).id(), away));
            });
  }

  private CompletionStage<?> publish(Partition from, List<Written> page, Set<Partition> away) {
    CompletionStage<Map<Partition, List<Written>>> located =
        CompletableFuture.completedFuture(new LinkedHashMap<>());
    for (Written written : page) {
      located =
          located.thenCombine(
              events.locate(from.namespace(), written.publication().topic()),
              (places, place) -> {
                places.computeIfAbsent(place, p -> new ArrayList<>()).add(written);
                return places;
              });
    }
    return located.thenCompose(places -> publish(from, places, away));
  }

  private CompletionStage<?> publish(
      Partition from, Map<Partition, List<Written>> places, Set<Partition> away) {
    List<CompletableFuture<?>> all = new ArrayList<>();
    places.forEach(
        (place, some) -> {
          if (!away.contains(place)) {
            all.add(publish(from, place, some, away).toCompletableFuture());
          }
        });
    return CompletableFuture.allOf(all.toArray(CompletableFuture<?>[]::new));
  }

  private CompletionStage<?> publish(
      Partition from, Partition place, List<Written> some, Set<Partition> away) {
    return events
        .append(place, some.stream().map(Written::publication).toList())
        .handle(
            (outcomes, failure) -> {
              List<String> there = new ArrayList<>();
              if (failure != null) {
                log.debug("{} takes no events from the outbox of {}", place, from, failure);
                away.add(place);
                return there;
              }
              for (int i = 0; i < some.size(); i++) {
                if (outcomes.get(i) instanceof Published) {
                  there.add(some.get(i).id());
                } else {
                  // It stays, and is tried again with every sweep.
                  log.warn(
                      "topic {} cannot be made for an event of an outbox: too many topics in {}",
                      some.get(i).publication().topic(),
                      place);
                }
              }
              return there;
            })
        .thenCompose(
            there ->
                there.isEmpty()
                    ? CompletableFuture.completedFuture(null)
                    : outboxes.clear(from, there));
  }
}
