package dev.troupe.server.redis;

import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

/**
 * Short messages from the scripts of a partition to all servers, by publish and subscribe.
 *
 * <p>Lossy by nature: what was rung while the connection was down is gone. Whoever listens must
 * look by itself now and then; the truth is in the data.
 */
public interface Doorbell {

  /**
   * Calls the listener with each message that scripts publish to the partition's {@code bell}
   * channel. The listener runs on an event loop and must not block.
   *
   * @return completed once the subscription is in place; run the result to end it
   */
  CompletionStage<Runnable> listen(Partition partition, Consumer<String> listener);
}
