package dev.troupe.server.log;

import dev.troupe.server.redis.Partition;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Keeps the logs within their configured length and age. To be run now and then. */
public final class LogTrim {

  private final LogStore store;
  private final LogConfig config;

  public LogTrim(RedisPartitionLogs logs, LogConfig config) {
    this.store = logs.store();
    this.config = config;
  }

  /** Trims one log. Harmless to repeat, and to run on several servers. */
  public CompletionStage<@Nullable Void> trim(Partition partition) {
    return store.trim(partition, config.maxEntries(), config.maxAge()).thenApply(dropped -> null);
  }
}
