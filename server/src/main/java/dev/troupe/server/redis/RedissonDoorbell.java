package dev.troupe.server.redis;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.redisson.api.RTopic;
import org.redisson.client.codec.StringCodec;

/** Bells as publish/subscribe channels, one per partition. */
public final class RedissonDoorbell implements Doorbell {

  private final RedisClients clients;

  public RedissonDoorbell(RedisClients clients) {
    this.clients = clients;
  }

  @Override
  public CompletionStage<Runnable> listen(Partition partition, Consumer<String> listener) {
    RTopic topic;
    try {
      topic = clients.commands().getTopic(partition.key("bell"), StringCodec.INSTANCE);
    } catch (IllegalStateException e) {
      return CompletableFuture.failedFuture(e);
    }
    return topic
        .addListenerAsync(String.class, (channel, message) -> listener.accept(message))
        .thenApply(id -> () -> topic.removeListenerAsync(id));
  }
}
