package dev.troupe.server;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.server.agent.AgentConfig;
import dev.troupe.server.config.ConfigException;
import dev.troupe.server.config.ConfigLoader;
import dev.troupe.server.event.EventConfig;
import dev.troupe.server.grpc.GrpcConfig;
import dev.troupe.server.lifecycle.LifecycleConfig;
import dev.troupe.server.log.LogConfig;
import dev.troupe.server.memory.MemoryConfig;
import dev.troupe.server.redis.RedisConfig;
import dev.troupe.server.task.TaskConfig;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A duration beyond what its setting allows is refused with what it may be. */
final class SettingBoundsTest {

  private static final List<Class<? extends Record>> SETTINGS =
      List.of(
          AgentConfig.class,
          EventConfig.class,
          GrpcConfig.class,
          LifecycleConfig.class,
          LogConfig.class,
          MemoryConfig.class,
          RedisConfig.class,
          TaskConfig.class);

  @ParameterizedTest(name = "{0}={1}")
  @CsvSource({
    "agents.retention, 999ms, 999ms, 1s to 3650d",
    "agents.retention, 4000d, 4000d, 1s to 3650d",
    "agents.heartbeat-tick, 0, 0s, 1ms to 1s",
    "agents.heartbeat-tick, 1001ms, 1001ms, 1ms to 1s",
    "events.checkpoint-interval, 249ms, 249ms, 250ms or more",
    "events.slow-reader-timeout, 100ms, 100ms, 250ms or more",
    "grpc.target-latency, 0, 0s, 1ms to 1h",
    "grpc.target-latency, PT9223372036854775807S, PT2562047788015215H30M7S, 1ms to 1h",
    "grpc.keepalive-floor, -PT1S, PT-1S, 0s to 1h",
    "lifecycle.stop-grace, 11m, 11m, 0s to 10m",
    "log.max-age, 59s, 59s, 1m or more",
    "memory.short-lifetime, PT9223372036854775807.5S, PT2562047788015215H30M7.5S, 1s to 365d",
    "memory.working-lifetime, 400d, 400d, 1s to 365d",
    "memory.long-lifetime, 0, 0s, 1s to 365d",
    "memory.conversation-lifetime, 4000d, 4000d, 1s to 3650d",
    "memory.consolidation-lead, 31d, 31d, 0s to 30d",
    "memory.index-save-interval, 10ms, 10ms, '0 for none, or 1s to 365d'",
    "redis.timeout, 61s, 61s, 100ms to 1m",
    "tasks.stream-grace, 6m, 6m, 0s to 5m",
    "tasks.ack-timeout, 1ms, 1ms, 100ms to 1m",
    "tasks.heartbeat-interval, 2m, 2m, 100ms to 1m",
    "tasks.safety-poll, 49ms, 49ms, 50ms to 1m",
    "tasks.drain-grace, 301s, 301s, 0s to 5m",
  })
  void aDurationOutOfBoundsIsRefused(String setting, String value, String told, String expected) {
    assertThatThrownBy(
            () -> ConfigLoader.of(SETTINGS).flags(List.of("--" + setting + "=" + value)).load())
        .isInstanceOf(ConfigException.class)
        .hasMessage(
            "the configuration is wrong: --"
                + setting
                + ": "
                + told
                + " (expected: "
                + expected
                + ")");
  }
}
