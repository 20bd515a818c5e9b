package dev.troupe.server.event;

import com.google.common.base.Ticker;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import com.google.inject.Inject;
import dev.troupe.server.redis.Partition;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The groups that somebody takes part in on this server. A dispatcher outlasts its last user for a
 * while, as calls come one after the other. Thread-safe.
 */
final class GroupDispatchers {

  private static final Duration LINGER = Duration.ofSeconds(5);

  private final GroupStore store;
  private final GroupWakes wakes;
  private final ScheduledExecutorService timers;
  private final Ticker ticker;

  @GuardedBy("this")
  private final Map<GroupId, Use> uses = new HashMap<>();

  @Inject
  GroupDispatchers(
      GroupStore store, GroupWakes wakes, ScheduledExecutorService timers, Ticker ticker) {
    this.store = store;
    this.wakes = wakes;
    this.timers = timers;
    this.ticker = ticker;
  }

  /** A group's dispatcher and who uses it. */
  final class Use {

    private final GroupDispatcher dispatcher;
    private int users;
    private boolean listens;
    private @Nullable Runnable unlisten;

    private Use(GroupDispatcher dispatcher) {
      this.dispatcher = dispatcher;
    }

    GroupDispatcher dispatcher() {
      return dispatcher;
    }

    /** Has the group hear of new events, if it does not yet. */
    void listen() {
      GroupId group = dispatcher.group();
      synchronized (GroupDispatchers.this) {
        if (listens) {
          return;
        }
        listens = true;
      }
      wakes.hear(group.partition(), GroupDispatchers.this::hear);
      Runnable close = wakes.listen(group.partition(), group.topic(), dispatcher::ring);
      boolean gone;
      synchronized (GroupDispatchers.this) {
        unlisten = close;
        gone = uses.get(group) != this;
      }
      if (gone) {
        close.run();
      }
    }

    void release() {
      synchronized (GroupDispatchers.this) {
        if (--users > 0) {
          return;
        }
      }
      try {
        timers.schedule(this::endIfUnused, LINGER.toMillis(), TimeUnit.MILLISECONDS);
      } catch (RejectedExecutionException stopping) {
        endIfUnused();
      }
    }

    private void endIfUnused() {
      Runnable close;
      synchronized (GroupDispatchers.this) {
        if (users > 0 || !uses.remove(dispatcher.group(), this)) {
          return;
        }
        close = unlisten;
      }
      if (close != null) {
        close.run();
      }
    }
  }

  /** To be released when it is no longer needed. */
  synchronized Use use(GroupId group) {
    Use use =
        uses.computeIfAbsent(group, id -> new Use(new GroupDispatcher(store, id, timers, ticker)));
    use.users++;
    return use;
  }

  /** The dispatcher of a group, if anybody uses it here. */
  synchronized @Nullable GroupDispatcher find(GroupId group) {
    Use use = uses.get(group);
    return use == null ? null : use.dispatcher;
  }

  /** Something may have become deliverable in a group. */
  void ring(GroupId group) {
    GroupDispatcher dispatcher = find(group);
    if (dispatcher != null) {
      dispatcher.ring();
    }
  }

  private void hear(Partition partition, String message) {
    String[] parts = message.split("\n", -1);
    if (parts.length == 3 && parts[0].equals("g")) {
      ring(new GroupId(partition, parts[1], parts[2]));
    } else if (parts.length == 5 && parts[0].equals("gj")) {
      GroupDispatcher dispatcher = find(new GroupId(partition, parts[1], parts[2]));
      if (dispatcher != null) {
        long session = Long.parseLong(parts[4]);
        dispatcher.takers().stream()
            .filter(one -> one.member().id().equals(parts[3]))
            .filter(one -> one.member().session() < session)
            .forEach(GroupTaker::replaced);
      }
    }
  }
}
