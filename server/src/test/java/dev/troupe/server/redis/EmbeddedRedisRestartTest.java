package dev.troupe.server.redis;

import static dev.troupe.server.redis.EmbeddedRedisFixture.ask;
import static dev.troupe.server.redis.EmbeddedRedisFixture.noKeeperIsLeft;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A Redis that dies and is started again, or takes long to start. */
final class EmbeddedRedisRestartTest {

  private static final Duration WITHIN = Duration.ofSeconds(60);
  private static final Duration LONG = Duration.ofSeconds(20);
  private static final Duration WINDOW = Duration.ofSeconds(1);

  /** More than the first one and those that are allowed within a window. */
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
    try (EmbeddedRedis redis = start(disk.binary(), LONG, WINDOW)) {
      await()
          .atMost(WITHIN)
          .pollInterval(Duration.ofMillis(5))
          .until(
              () -> {
                if (redis.pid() > 0) {
                  started.add(redis.pid());
                }
                String key = "key" + acknowledged.size();
                if (isWritten(redis, key)) {
                  acknowledged.add(key);
                }
                return started.size() >= STARTS;
              });
      assertThat(acknowledged).isNotEmpty();
      disk.makeRoom();
      await().atMost(WITHIN).until(() -> isWritten(redis, "after"));
      for (String key : acknowledged) {
        assertThat(ask(redis, "STRLEN " + key)).contains(":2000\r\n");
      }
    }
    noKeeperIsLeft(directory);
  }

  /** A command of 2 KB, so that a few of them fill the disk. */
  private static boolean isWritten(EmbeddedRedis redis, String key) {
    return answered(redis, "SET " + key + " " + "x".repeat(2000)).startsWith("+OK\r\n+OK\r\n");
  }

  private static String answered(EmbeddedRedis redis, String command) {
    try {
      return ask(redis, command);
    } catch (IOException e) {
      return "";
    }
  }

  @Test
  void oneThatDoesNotStartIsTriedUntilItDoes() throws Exception {
    Path broken = tools.resolve("broken");
    try (EmbeddedRedis redis = start(script("[ -e '" + broken + "' ] && exit 1"), LONG, WINDOW)) {
      ask(redis, "SET a 1");
      Files.createFile(broken);
      kill(redis);
      await().atMost(WITHIN).until(() -> starts() >= STARTS);
      Files.delete(broken);
      await().atMost(WITHIN).until(() -> answered(redis, "GET a").contains("$1\r\n1\r\n"));
    }
  }

  @Test
  void dataThatIsNotThereIsNotBegunAnew() throws Exception {
    Path data = directory.resolve("redis");
    Path elsewhere = directory.resolve("elsewhere");
    try (EmbeddedRedis redis = start(script(""), LONG, WINDOW)) {
      ask(redis, "SET a 1");
      Files.move(data, elsewhere);
      kill(redis);
      await().atMost(WITHIN).until(() -> starts() >= STARTS);
      assertThat(data).doesNotExist();
      Files.move(elsewhere, data);
      await().atMost(WITHIN).until(() -> answered(redis, "GET a").contains("$1\r\n1\r\n"));
    }
  }

  @Test
  void damagedDataWaitsForSomebody() throws Exception {
    try (EmbeddedRedis redis = start(script(""), LONG, WINDOW)) {
      try (Stream<Path> files = Files.walk(directory.resolve("redis"))) {
        for (Path file : files.filter(Files::isRegularFile).toList()) {
          Files.writeString(file, "this is no append-only file\n".repeat(10));
        }
      }
      kill(redis);
      await().atMost(WITHIN).until(() -> starts() == 2);
      await().during(WINDOW.multipliedBy(2)).atMost(WITHIN).until(() -> starts() == 2);
      assertThat(redis.pid()).isZero();
    }
  }

  @Test
  void whoClosesItWhileItIsDownHasTheDirectoryAgain() throws Exception {
    Path broken = tools.resolve("broken");
    EmbeddedRedis redis = start(script("[ -e '" + broken + "' ] && exit 1"), LONG, WINDOW);
    ask(redis, "SET a 1");
    Files.createFile(broken);
    kill(redis);
    await().atMost(WITHIN).until(() -> starts() >= STARTS);
    redis.close();
    int starts = starts();
    try (EmbeddedRedis next = EmbeddedRedis.start(EmbeddedRedisFixture.config(directory, ""))) {
      assertThat(ask(next, "GET a")).contains("$1\r\n1\r\n");
      await().during(WINDOW.multipliedBy(2)).atMost(WITHIN).until(() -> starts() == starts);
    }
    noKeeperIsLeft(directory);
  }

  @Test
  void howeverLongItReadsItsDataItIsWaitedFor() throws Exception {
    int keys = 60_000;
    Duration silence = Duration.ofSeconds(2);
    try (EmbeddedRedis redis = EmbeddedRedis.start(EmbeddedRedisFixture.config(directory, ""))) {
      ask(redis, "EVAL \"for i = 1, %d do redis.call('set', 'k'..i, i) end\" 0".formatted(keys));
    }
    // Microseconds a command, which Redis waits for each.
    Path slow = script("[ \"$1\" = --version ] || set -- \"$@\" --key-load-delay 100");
    long begin = System.nanoTime();
    try (EmbeddedRedis redis = start(slow, silence, WINDOW)) {
      assertThat(ask(redis, "DBSIZE")).contains(":" + keys + "\r\n");
      assertThat(Duration.ofNanos(System.nanoTime() - begin)).isGreaterThan(silence);
    }
  }

  private EmbeddedRedis start(Path binary, Duration silence, Duration window) {
    return EmbeddedRedis.start(
        EmbeddedRedisFixture.config(directory, binary.toString()),
        new EmbeddedRedis.Times(silence, window));
  }

  private static void kill(EmbeddedRedis redis) {
    ProcessHandle.of(redis.pid()).orElseThrow().destroyForcibly();
  }

  /** A Redis that counts its starts, and first does what is said. */
  private Path script(String first) throws IOException {
    Path script =
        Files.createFile(
            tools.resolve("counted-redis"),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    Files.writeString(
        script,
        "#!/bin/sh\n[ \"$1\" = --version ] || echo >>'%s'\n%s\nexec '%s' \"$@\"\n"
            .formatted(
                tools.resolve("starts"), first, RedisBinary.find("", tools.resolve("bin")).path()));
    return script;
  }

  private int starts() throws IOException {
    return Files.readAllLines(tools.resolve("starts")).size();
  }
}
