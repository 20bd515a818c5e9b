package dev.troupe.server.redis;

import com.google.inject.AbstractModule;
import com.google.inject.Provides;
import com.google.inject.Singleton;
import dev.troupe.server.lifecycle.Lifecycle;
import io.netty.channel.EventLoopGroup;

/** Binds Redis, embedded or yours, and what runs scripts on it. */
public final class RedisModule extends AbstractModule {

  @Override
  protected void configure() {
    bind(RedisClients.class).to(RedisConnections.class);
  }

  @Provides
  @Singleton
  RedisConnections connections(RedisConfig config, EventLoopGroup eventLoops) {
    return new RedisConnections(config, eventLoops);
  }

  @Provides
  @Singleton
  RedisService service(RedisConfig config, RedisConnections connections, Lifecycle lifecycle) {
    return lifecycle.register(
        Lifecycle.Phase.STORE, "Redis", new RedisService(config, connections));
  }

  @Provides
  @Singleton
  ScriptRunner scripts(RedisClients clients) {
    return new RedissonScripts(clients);
  }

  @Provides
  @Singleton
  Replicas replicas(RedisClients clients) {
    return new RedissonReplicas(clients);
  }

  @Provides
  @Singleton
  Namespaces namespaces(ScriptRunner scripts, RedisConfig config) {
    return new RedisNamespaces(scripts, config.partitions());
  }

  @Provides
  @Singleton
  Leaders leaders(RedisClients clients, Lifecycle lifecycle) {
    return lifecycle.register("leaders", new RedissonLeaders(clients));
  }

  @Provides
  @Singleton
  Doorbell doorbell(RedisClients clients) {
    return new RedissonDoorbell(clients);
  }
}
