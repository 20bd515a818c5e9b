package dev.troupe.server.log;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.common.base.Ticker;
import dev.troupe.server.config.DataSize;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.Script;
import dev.troupe.server.redis.TestRedis;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.redisson.api.stream.StreamTrimArgs;

/** The logs on a Redis of their own, and what a test does to them. */
final class LogHarness implements AutoCloseable {

  private static final Script EMIT = Script.load("test/emit");

  final TestRedis redis;
  final ScheduledExecutorService executor = Executors.newScheduledThreadPool(3);

  /** The Redis is closed with this. */
  LogHarness(TestRedis redis) {
    this.redis = redis;
  }

  RedisPartitionLogs logs(LogConfig config) {
    return new RedisPartitionLogs(redis, redis, config, executor, Ticker.systemTicker());
  }

  RedisPartitionLogs logs() {
    return logs(config(1 << 16));
  }

  /** Small rings make readers fall behind them. */
  static LogConfig config(long ringBytes) {
    return config(ringBytes, 1 << 28);
  }

  static LogConfig config(long ringBytes, long totalRingBytes) {
    return new LogConfig(
        1000, Duration.ofHours(1), new DataSize(ringBytes), new DataSize(totalRingBytes));
  }

  /** Appends entries of the given sizes; the data begins with "e". */
  void append(Partition partition, int... sizes) throws Exception {
    List<Object> arguments = new ArrayList<>(List.of("topic", "type", "subject"));
    for (int size : sizes) {
      arguments.add("e" + "x".repeat(size));
    }
    get(redis.run(EMIT, partition, arguments.toArray()));
  }

  void trim(Partition partition, int left) {
    redis
        .commands()
        .getStream(new String(partition.logKey(), UTF_8))
        .trim(StreamTrimArgs.maxLen(left).noLimit());
  }

  /** All of a log, to be put in its place again as after a crash of Redis. */
  List<byte[]> dump(Partition partition) {
    return keys(partition).stream().map(key -> redis.commands().getBucket(key).dump()).toList();
  }

  void restore(Partition partition, List<byte[]> dumped) {
    List<String> keys = keys(partition);
    for (int i = 0; i < keys.size(); i++) {
      redis.commands().getBucket(keys.get(i)).restoreAndReplace(dumped.get(i));
    }
  }

  private static List<String> keys(Partition partition) {
    return List.of(new String(partition.logKey(), UTF_8), partition.key("head"));
  }

  static <T> T get(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  @Override
  public void close() throws Exception {
    executor.shutdownNow();
    redis.close();
  }
}
