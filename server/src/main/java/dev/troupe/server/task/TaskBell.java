package dev.troupe.server.task;

import com.google.inject.Inject;
import com.google.inject.Singleton;
import dev.troupe.server.redis.Doorbell;
import dev.troupe.server.redis.Partition;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Hears what the task scripts ring: work arrived, a running task was cancelled, a worker opened a
 * newer stream. One subscription per partition in which this server has workers.
 */
@Singleton
final class TaskBell {

  private static final Logger log = LoggerFactory.getLogger(TaskBell.class);

  private final Doorbell doorbell;
  private final LeasePools pools;
  private final WorkStreams streams;
  private final ConcurrentMap<Partition, CompletionStage<Runnable>> subscriptions =
      new ConcurrentHashMap<>();

  @Inject
  TaskBell(Doorbell doorbell, LeasePools pools, WorkStreams streams) {
    this.doorbell = doorbell;
    this.pools = pools;
    this.streams = streams;
  }

  /** Completed once this server hears the partition's bell; a failed attempt is made anew. */
  CompletionStage<Runnable> hear(Partition partition) {
    CompletionStage<Runnable> subscription =
        subscriptions.computeIfAbsent(
            partition, p -> doorbell.listen(p, message -> hear(p, message)));
    subscription.whenComplete(
        (unlisten, failure) -> {
          if (failure != null) {
            subscriptions.remove(partition, subscription);
          }
        });
    return subscription;
  }

  private void hear(Partition partition, String message) {
    String[] parts = message.split("\n", -1);
    if (parts.length < 2) {
      log.warn("not a message of ours on the bell of {}: {}", partition, message);
      return;
    }
    QueueId queue = new QueueId(partition, parts[1]);
    switch (parts[0]) {
      case "r" -> pools.ring(queue);
      case "c" -> streams.cancelled(queue, parts[2], Long.parseLong(parts[3]), parts[4]);
      case "w" -> streams.opened(queue, parts[2], Long.parseLong(parts[3]));
      default -> {
        // For another feature.
      }
    }
  }
}
