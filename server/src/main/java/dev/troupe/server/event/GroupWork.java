package dev.troupe.server.event;

import com.google.inject.Inject;
import dev.troupe.server.event.GroupStore.Outgoing;
import dev.troupe.server.lifecycle.Lifecycle;
import dev.troupe.server.lifecycle.PeriodicTasks;
import dev.troupe.server.lifecycle.Service;
import dev.troupe.server.redis.Leaders;
import dev.troupe.server.redis.Namespaces;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.PartitionSweep;
import dev.troupe.server.redis.PartitionSweep.Swept;
import dev.troupe.v1.Event;
import dev.troupe.v1.Fence;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * What groups need by themselves: deadlines that nobody takes notice of, members that fell silent,
 * and dead letters that belong into another partition. One server at a time does the latter; an
 * outbox is emptied only of what has arrived, and what arrives twice is appended once.
 */
final class GroupWork implements Service {

  private static final Duration SOONEST = Duration.ofMillis(20);
  private static final Duration LATEST = Duration.ofMillis(500);
  private static final int OUTBOX_PAGE = 16;

  private final GroupStore store;
  private final EventStore events;
  private final ConsumeStreams streams;
  private final PartitionSweep sweep;
  private final PeriodicTasks tasks;

  @Inject
  GroupWork(
      GroupStore store,
      EventStore events,
      ConsumeStreams streams,
      Leaders leaders,
      Namespaces namespaces,
      PeriodicTasks tasks,
      Lifecycle lifecycle) {
    this.store = store;
    this.events = events;
    this.streams = streams;
    this.sweep =
        new PartitionSweep(leaders.of("group-sweep"), namespaces, this::sweep, SOONEST, LATEST);
    this.tasks = tasks;
    lifecycle.register("consumer groups", this);
  }

  @Override
  public CompletionStage<?> start() {
    tasks.schedule("group-sweep", sweep::round);
    tasks.schedule("group-progress", streams::tick);
    return CompletableFuture.completedFuture(null);
  }

  private CompletionStage<Swept> sweep(Partition partition) {
    return relay(partition)
        .thenCompose(
            relayed ->
                store
                    .sweep(partition)
                    .thenApply(swept -> new Swept(relayed || swept.more(), swept.dueInMicros())));
  }

  /** Appends dead letters to their topics; says whether there may be more. */
  private CompletionStage<Boolean> relay(Partition partition) {
    return store
        .outbox(partition)
        .thenCompose(
            letters ->
                letters.isEmpty()
                    ? CompletableFuture.completedFuture(false)
                    : relay(partition, letters));
  }

  private CompletionStage<Boolean> relay(Partition partition, List<Outgoing> letters) {
    CompletionStage<List<Outgoing>> arrived = CompletableFuture.completedFuture(new ArrayList<>());
    for (Outgoing letter : letters) {
      Event event = GroupCodec.event(letter.event());
      arrived =
          arrived.thenCombine(
              events.publish(
                  partition.namespace(), letter.topic(), event, Fence.getDefaultInstance()),
              (all, outcome) -> {
                if (outcome instanceof EventStore.Outcome.Published) {
                  all.add(letter);
                }
                return all;
              });
    }
    return arrived.thenCompose(
        all ->
            all.isEmpty()
                ? CompletableFuture.completedFuture(false)
                : store
                    .arrived(partition, all)
                    .thenApply(cleared -> letters.size() == OUTBOX_PAGE));
  }
}
