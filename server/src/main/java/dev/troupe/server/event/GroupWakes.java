package dev.troupe.server.event;

import com.google.inject.Inject;
import dev.troupe.server.log.EntryWaits;
import dev.troupe.server.log.LogEntry;
import dev.troupe.server.log.PartitionLogs;
import dev.troupe.server.redis.Doorbell;
import dev.troupe.server.redis.Partition;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells groups that something may be deliverable: an event was appended to their topic, which the
 * partition's log says, or something became so otherwise, which the bell says. Either may be lost;
 * who listens asks by itself now and then. Thread-safe.
 */
final class GroupWakes {

  private static final Logger log = LoggerFactory.getLogger(GroupWakes.class);
  private static final long AGAIN_MILLIS = 1000;

  private final EntryWaits events;
  private final Doorbell doorbell;
  private final ScheduledExecutorService timers;
  private final ConcurrentMap<Partition, CompletionStage<Runnable>> bells =
      new ConcurrentHashMap<>();

  @Inject
  GroupWakes(PartitionLogs logs, Doorbell doorbell, ScheduledExecutorService timers) {
    this.events = new EntryWaits(logs, GroupWakes::topic);
    this.doorbell = doorbell;
    this.timers = timers;
  }

  private static @Nullable String topic(LogEntry entry) {
    return entry.topic().startsWith(EventFilter.SYSTEM) ? null : entry.topic();
  }

  /** Calls back whenever events were appended to a topic; run the result to end it. */
  Runnable listen(Partition partition, String topic, Runnable appended) {
    Listening listening = new Listening(partition, topic, appended);
    listening.await();
    return listening::close;
  }

  /** Hands on what the bell of a partition says, from now on, once for each partition. */
  void hear(Partition partition, BiConsumer<Partition, String> listener) {
    CompletionStage<Runnable> bell =
        bells.computeIfAbsent(
            partition, p -> doorbell.listen(p, message -> listener.accept(p, message)));
    bell.whenComplete(
        (unlisten, failure) -> {
          if (failure != null) {
            bells.remove(partition, bell);
          }
        });
  }

  private final class Listening {

    private final Partition partition;
    private final String topic;
    private final Runnable appended;
    private EntryWaits.@Nullable Waiting current;
    private boolean closed;

    Listening(Partition partition, String topic, Runnable appended) {
      this.partition = partition;
      this.topic = topic;
      this.appended = appended;
    }

    void await() {
      EntryWaits.Waiting next = events.await(partition, topic);
      EntryWaits.Waiting former;
      boolean over;
      synchronized (this) {
        former = current;
        current = next;
        over = closed;
      }
      // In this order, so that the log goes on being read.
      if (former != null) {
        former.leave().run();
      }
      if (over) {
        next.leave().run();
        return;
      }
      next.ready()
          .whenComplete(
              (ready, failure) -> {
                if (failure == null && former == null) {
                  appended.run();
                }
                next.woken().thenRun(failure == null ? this::woken : this::awaitLater);
              });
    }

    private void woken() {
      await();
      if (!isClosed()) {
        appended.run();
      }
    }

    /** The log cannot be read now. */
    private void awaitLater() {
      if (isClosed()) {
        return;
      }
      try {
        timers.schedule(this::woken, AGAIN_MILLIS, TimeUnit.MILLISECONDS);
      } catch (RejectedExecutionException stopping) {
        log.debug("the server stops");
      }
    }

    private synchronized boolean isClosed() {
      return closed;
    }

    void close() {
      EntryWaits.Waiting last;
      synchronized (this) {
        closed = true;
        last = current;
      }
      if (last != null) {
        last.leave().run();
      }
    }
  }
}
