package dev.troupe.server.redis;

import dev.troupe.server.lifecycle.Service;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Redis as a part of the server: started before what needs it, ended after it. */
public final class RedisService implements Service {

  private final RedisConfig config;
  private final RedisConnections connections;
  private @Nullable EmbeddedRedis embedded;

  RedisService(RedisConfig config, RedisConnections connections) {
    this.config = config;
    this.connections = connections;
  }

  @Override
  public CompletionStage<?> start() {
    String url = config.url();
    if (config.embedded()) {
      EmbeddedRedis started = EmbeddedRedis.start(config);
      embedded = started;
      url = started.url();
    }
    connections.connect(url);
    return CompletableFuture.completedFuture(null);
  }

  @Override
  public CompletionStage<?> stop(Duration grace) {
    connections.close();
    EmbeddedRedis started = embedded;
    if (started != null) {
      started.close();
    }
    return CompletableFuture.completedFuture(null);
  }

  /** What an operator wants to know, a line each. */
  public List<String> facts() {
    EmbeddedRedis started = embedded;
    return started == null
        ? List.of("Redis: " + config.url().replaceFirst("//[^@/]*@", "//***@"))
        : List.of(
            started.describe(),
            "data in "
                + config.dataDir().toAbsolutePath().normalize()
                + " (fsync "
                + config.fsync().name().toLowerCase(java.util.Locale.ROOT)
                + ")");
  }
}
