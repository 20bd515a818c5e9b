package dev.troupe.bench;

import dev.troupe.server.redis.EmbeddedRedis;
import dev.troupe.server.redis.RedisConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;

/** A Redis started as Troupe starts its own, for those who bring their own servers or none. */
final class RedisUnderTest implements AutoCloseable {

  private final EmbeddedRedis redis;
  private final ProcessHandle process;
  private final Path directory;

  private RedisUnderTest(EmbeddedRedis redis, Path directory) {
    this.redis = redis;
    this.process = ProcessHandle.of(redis.pid()).orElseThrow();
    this.directory = directory;
  }

  /**
   * Starts one.
   *
   * @param fsync "everysec" or "always"
   */
  static RedisUnderTest start(String fsync) throws IOException {
    Path directory = Scratch.directory("troupe-bench-redis");
    return new RedisUnderTest(
        EmbeddedRedis.start(
            new RedisConfig(
                "embedded",
                "",
                4,
                Duration.ofSeconds(3),
                directory,
                RedisConfig.Fsync.valueOf(fsync.toUpperCase(Locale.ROOT)),
                "",
                1)),
        directory);
  }

  /** With the password. */
  String url() {
    return redis.url();
  }

  Duration cpu() {
    return process.info().totalCpuDuration().orElse(Duration.ZERO);
  }

  @Override
  public void close() throws IOException {
    redis.close();
    Scratch.delete(directory);
  }
}
