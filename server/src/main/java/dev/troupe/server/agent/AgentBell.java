package dev.troupe.server.agent;

import com.google.inject.Inject;
import dev.troupe.server.redis.Doorbell;
import dev.troupe.server.redis.Partition;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/**
 * Hears when an agent was given a command, and tells the stream of this server that carries its
 * heartbeats. One subscription per partition in which this server has agents. What is missed, the
 * next heartbeat makes up for.
 */
final class AgentBell {

  private final Doorbell doorbell;
  private final ConcurrentMap<Partition, CompletionStage<Runnable>> subscriptions =
      new ConcurrentHashMap<>();
  private final ConcurrentMap<Key, HeartbeatStream> streams = new ConcurrentHashMap<>();

  private record Key(Partition partition, String agentId) {}

  @Inject
  AgentBell(Doorbell doorbell) {
    this.doorbell = doorbell;
  }

  /** Completed once this server hears the partition's bell; a failed attempt is made anew. */
  CompletionStage<Runnable> hear(Partition partition) {
    CompletionStage<Runnable> known = subscriptions.get(partition);
    if (known != null) {
      return known;
    }
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
    // Others are for other features.
    if (parts.length == 3 && parts[0].equals("a")) {
      HeartbeatStream stream = streams.get(new Key(partition, parts[1]));
      if (stream != null) {
        stream.commanded(partition, parts[1], Long.parseLong(parts[2]));
      }
    }
  }

  /** An agent sent its last heartbeat on this stream. */
  void connected(Partition partition, String agentId, HeartbeatStream stream) {
    streams.put(new Key(partition, agentId), stream);
  }

  /** The stream carries the agent no longer. */
  void disconnected(Partition partition, String agentId, HeartbeatStream stream) {
    streams.remove(new Key(partition, agentId), stream);
  }
}
