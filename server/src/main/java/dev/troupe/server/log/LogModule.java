package dev.troupe.server.log;

import com.google.common.base.Ticker;
import com.google.inject.AbstractModule;
import com.google.inject.Provides;
import com.google.inject.Scopes;
import com.google.inject.Singleton;
import dev.troupe.server.lifecycle.Lifecycle;
import dev.troupe.server.lifecycle.Service;
import dev.troupe.server.redis.RedisClients;
import dev.troupe.server.redis.ScriptRunner;
import java.util.concurrent.ScheduledExecutorService;

/** Binds the logs and what keeps them short. */
public final class LogModule extends AbstractModule {

  @Override
  protected void configure() {
    bind(PartitionLogs.class).to(RedisPartitionLogs.class);
    bind(LogTrimming.class).in(Scopes.SINGLETON);
  }

  @Provides
  @Singleton
  RedisPartitionLogs logs(
      RedisClients clients,
      ScriptRunner scripts,
      LogConfig config,
      ScheduledExecutorService executor,
      Ticker ticker,
      Lifecycle lifecycle) {
    RedisPartitionLogs logs = new RedisPartitionLogs(clients, scripts, config, executor, ticker);
    lifecycle.register("partition logs", Service.closing(logs));
    return logs;
  }

  @Provides
  @Singleton
  LogTrim trim(RedisPartitionLogs logs, LogConfig config) {
    return new LogTrim(logs, config);
  }
}
