package dev.troupe.server.agent;

import com.google.common.base.Ticker;
import com.google.inject.Inject;
import dev.troupe.server.redis.Doorbell;
import dev.troupe.server.redis.Partition;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/**
 * Hears when an agent was given a command, and tells the stream of this server that carries its
 * heartbeats. One subscription per partition in which this server has agents. What is missed, the
 * next heartbeat makes up for.
 */
final class AgentBell {

  private static final long PAUSE_NANOS = Duration.ofSeconds(1).toNanos();

  private final Doorbell doorbell;
  private final Ticker ticker;
  private final ConcurrentMap<Partition, Attempt> attempts = new ConcurrentHashMap<>();
  private final ConcurrentMap<Key, HeartbeatStream> streams = new ConcurrentHashMap<>();

  private record Attempt(CompletionStage<Runnable> subscription, long begunNanos) {

    /** Whether it failed, some time ago. */
    boolean isOver(long nanos) {
      return subscription.toCompletableFuture().isCompletedExceptionally()
          && nanos - begunNanos >= PAUSE_NANOS;
    }
  }

  private record Key(Partition partition, String agentId) {}

  @Inject
  AgentBell(Doorbell doorbell, Ticker ticker) {
    this.doorbell = doorbell;
    this.ticker = ticker;
  }

  /**
   * Completed once this server hears the partition's bell. A failed attempt is made anew, but not
   * with every heartbeat.
   */
  CompletionStage<Runnable> hear(Partition partition) {
    Attempt known = attempts.get(partition);
    if (known != null && !known.isOver(ticker.read())) {
      return known.subscription;
    }
    Attempt made =
        attempts.compute(
            partition,
            (p, before) ->
                before == null || before.isOver(ticker.read())
                    ? new Attempt(doorbell.listen(p, message -> hear(p, message)), ticker.read())
                    : before);
    return made.subscription;
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
