package dev.troupe.server.redis;

import static dev.troupe.server.redis.EmbeddedRedisFixture.ask;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A Redis that dies and is started again, or takes long to start. */
final class EmbeddedRedisRestartTest {

  private static final Duration WITHIN = Duration.ofSeconds(60);

  /** More than the starts that are allowed within a window. */
  private static final int STARTS = 7;

  @TempDir
  @SuppressWarnings("NullAway.Init")
  Path directory;

  @TempDir
  @SuppressWarnings("NullAway.Init")
  Path tools;

  @Test
  void aDiskWithoutRoomEndsItAgainAndAgainAndItGoesOnWhenThereIsRoom() throws Exception {
    NarrowDisk disk = new NarrowDisk(tools);
    Set<String> acknowledged = new HashSet<>();
    Set<Long> started = new HashSet<>();
    try (EmbeddedRedis redis =
        start(disk.binary(), Duration.ofSeconds(20), Duration.ofSeconds(2))) {
      await()
          .atMost(WITHIN)
          .pollInterval(Duration.ofMillis(5))
          .until(
              () -> {
                started.add(redis.pid());
                String key = "key" + acknowledged.size();
                if (isWritten(redis, key)) {
                  acknowledged.add(key);
                }
                return started.size() > STARTS;
              });
      assertThat(acknowledged).isNotEmpty();
      disk.makeRoom();
      await().atMost(WITHIN).until(() -> isWritten(redis, "after"));
      for (String key : acknowledged) {
        assertThat(ask(redis, "STRLEN " + key)).contains(":2000\r\n");
      }
    }
  }

  /** A command of 2 KB, so that a few of them fill the disk. */
  private static boolean isWritten(EmbeddedRedis redis, String key) {
    try {
      return ask(redis, "SET " + key + " " + "x".repeat(2000)).startsWith("+OK\r\n+OK\r\n");
    } catch (IOException e) {
      return false;
    }
  }

  @Test
  void howeverLongItReadsItsDataItIsWaitedFor() throws Exception {
    int keys = 12_000;
    try (EmbeddedRedis redis = EmbeddedRedis.start(EmbeddedRedisFixture.config(directory, ""))) {
      ask(redis, "EVAL \"for i = 1, %d do redis.call('set', 'k'..i, i) end\" 0".formatted(keys));
    }
    Path slow =
        Files.createFile(
            tools.resolve("slow-redis"),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    // Microseconds a command, so that reading takes several times the silence that is allowed.
    Files.writeString(
        slow,
        "#!/bin/sh\n[ \"$1\" = --version ] || set -- \"$@\" --key-load-delay 500\nexec '%s' \"$@\"\n"
            .formatted(RedisBinary.find("", tools.resolve("bin")).path()));
    try (EmbeddedRedis redis = start(slow, Duration.ofSeconds(2), Duration.ofMinutes(1))) {
      assertThat(ask(redis, "DBSIZE")).contains(":" + keys + "\r\n");
    }
  }

  private EmbeddedRedis start(Path binary, Duration silence, Duration window) {
    return EmbeddedRedis.start(
        EmbeddedRedisFixture.config(directory, binary.toString()),
        new EmbeddedRedis.Times(silence, window));
  }
}
