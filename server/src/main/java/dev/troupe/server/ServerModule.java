package dev.troupe.server;

import com.google.inject.AbstractModule;
import com.google.inject.Provides;
import dev.troupe.server.cli.ServerLauncher.Running;
import dev.troupe.server.grpc.GrpcConfig;
import dev.troupe.server.grpc.GrpcDoor;
import dev.troupe.server.lifecycle.Lifecycle;
import dev.troupe.server.redis.RedisService;

/** Tells whoever started the server what came of it. */
final class ServerModule extends AbstractModule {

  /** Read once the server has started, because only then the port is known. */
  @Provides
  Running running(GrpcConfig config, GrpcDoor door, RedisService redis, Lifecycle lifecycle) {
    return new Running(config.host(), door.port(), redis.facts(), lifecycle.stopped());
  }
}
