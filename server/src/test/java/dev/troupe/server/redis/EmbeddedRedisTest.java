package dev.troupe.server.redis;

import static dev.troupe.server.redis.EmbeddedRedisFixture.ask;
import static dev.troupe.server.redis.EmbeddedRedisFixture.noKeeperIsLeft;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.nio.NioIoHandler;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The Redis that comes along: whose data it serves, and how it dies. */
final class EmbeddedRedisTest {

  private static final Script SCRIPT = Script.load("redis/open_namespace");
  private static final Partition PARTITION = new Partition("test", 0, 1);

  @TempDir
  @SuppressWarnings("NullAway.Init")
  Path directory;

  @Test
  void aSecondServerOnTheSameDataIsRefusedByName() {
    try (EmbeddedRedis first = EmbeddedRedis.start(config())) {
      assertThat(first.pid()).isPositive();
      assertThatThrownBy(() -> EmbeddedRedis.start(config()))
          .isInstanceOf(RedisStartupException.class)
          .hasMessageContaining("in use by process " + ProcessHandle.current().pid());
    }
    try (EmbeddedRedis next = EmbeddedRedis.start(config())) {
      assertThat(next.pid()).isPositive();
    }
  }

  /** A signal to our process group reaches it too; and somebody may kill it. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void redisEndsWithUsWhateverBecomesOfItsKeeper(boolean killed) throws IOException {
    ProcessHandle process;
    try (EmbeddedRedis redis = EmbeddedRedis.start(config())) {
      process = ProcessHandle.of(redis.pid()).orElseThrow();
      List<ProcessHandle> keepers = EmbeddedRedisFixture.keepers(directory);
      assertThat(keepers).hasSize(1);
      if (killed) {
        keepers.get(0).destroyForcibly();
        noKeeperIsLeft(directory);
      } else {
        // Only Linux tells.
        if (Files.exists(Path.of("/proc/self/status"))) {
          assertThat(ignoresTerm(keepers.get(0))).isTrue();
          assertThat(ignoresTerm(process)).isFalse();
        }
        keepers.get(0).destroy();
      }
    }
    assertThat(process.isAlive()).isFalse();
  }

  /** Whether a process does so with signal 15. */
  private static boolean ignoresTerm(ProcessHandle process) throws IOException {
    Path status = Path.of("/proc", Long.toString(process.pid()), "status");
    return Files.readAllLines(status).stream()
        .filter(line -> line.startsWith("SigIgn:"))
        .map(line -> Long.parseUnsignedLong(line.substring(7).strip(), 16))
        .anyMatch(ignored -> (ignored & 1 << 14) != 0);
  }

  @Test
  void aDirectoryWithSomethingElseInItIsRefusedAndLeftAlone() throws IOException {
    Files.writeString(directory.resolve("thesis.txt"), "years of work");
    assertThatThrownBy(() -> EmbeddedRedis.start(config()))
        .isInstanceOf(RedisStartupException.class)
        .hasMessageContaining("holds something else (thesis.txt)");
    try (Stream<Path> left = Files.list(directory)) {
      assertThat(left).containsExactly(directory.resolve("thesis.txt"));
    }
  }

  @Test
  void dataOfANewerRedisIsRefused() throws IOException {
    EmbeddedRedis.start(config()).close();
    Files.writeString(directory.resolve("troupe-data"), "format=2\nredis=99\n");
    assertThatThrownBy(() -> EmbeddedRedis.start(config()))
        .isInstanceOf(RedisStartupException.class)
        .hasMessageContaining("was written by Redis 99");
  }

  @Test
  void dataInAnotherFormatIsRefusedAndLeftAsItIs() throws IOException {
    EmbeddedRedis.start(config()).close();
    Path marker = directory.resolve("troupe-data");
    Files.writeString(marker, "format=1\nredis=6\n");
    assertThatThrownBy(() -> EmbeddedRedis.start(config()))
        .isInstanceOf(RedisStartupException.class)
        .hasMessageContaining("has format 1")
        .hasMessageContaining("reads format 2");
    assertThat(Files.readString(marker)).isEqualTo("format=1\nredis=6\n");
  }

  @Test
  void theMarkOfTheDataIsWrittenWholeAndOnlyWhenItChanges() throws IOException {
    EmbeddedRedis.start(config()).close();
    Path marker = directory.resolve("troupe-data");
    FileTime longAgo = FileTime.fromMillis(0);
    Files.setLastModifiedTime(marker, longAgo);
    EmbeddedRedis.start(config()).close();
    assertThat(Files.getLastModifiedTime(marker)).isEqualTo(longAgo);

    // What cannot be written whole, as on a full disk, leaves it as it was.
    String before = "format=2\nredis=5\n";
    Files.writeString(marker, before);
    Path inTheWay = Files.createDirectory(directory.resolve("troupe-data.new"));
    assertThatThrownBy(() -> EmbeddedRedis.start(config()))
        .isInstanceOf(RedisStartupException.class)
        .hasMessageContaining("troupe-data.new");
    assertThat(Files.readString(marker)).isEqualTo(before);

    Files.delete(inTheWay);
    EmbeddedRedis.start(config()).close();
    assertThat(Files.readString(marker)).matches("format=2\nredis=[6-9]\n");
  }

  @Test
  void damagedDataIsRefusedWithWhatRedisSaysAndWhatToDo() throws IOException {
    EmbeddedRedis.start(config()).close();
    try (Stream<Path> files = Files.walk(directory.resolve("redis"))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Files.writeString(file, "this is no append-only file\n".repeat(10));
      }
    }
    assertThatThrownBy(() -> EmbeddedRedis.start(config()))
        .isInstanceOf(RedisStartupException.class)
        .hasMessageContaining("It said:")
        .hasMessageContaining("redis-check-aof --fix");
    noKeeperIsLeft(directory);
  }

  @Test
  void whatACrashOfTheMachineLeftOfAScriptNeverTakesEffect() throws Exception {
    try (EmbeddedRedis redis = EmbeddedRedis.start(config())) {
      ask(redis, "SET before 1");
      ask(redis, "EVAL \"redis.call('incr', 'a') redis.call('incr', 'b')\" 0");
    }
    tear(directory.resolve("redis"), "incr");
    Map<String, Long> torn = sizes(directory.resolve("redis"));
    try (EmbeddedRedis redis = EmbeddedRedis.start(config())) {
      // It is kept as it was.
      assertThat(besideTheData()).singleElement().asString().contains("redis-torn-");
      assertThat(sizes(besideTheData().get(0))).isEqualTo(torn);
      assertThat(ask(redis, "MGET before a b")).contains("$1\r\n1\r\n$-1\r\n$-1\r\n");
      ask(redis, "EVAL \"redis.call('incr', 'c') redis.call('incr', 'd')\" 0");
    }
    try (EmbeddedRedis redis = EmbeddedRedis.start(config())) {
      assertThat(ask(redis, "MGET before a b")).contains("$1\r\n1\r\n$-1\r\n$-1\r\n");
      assertThat(ask(redis, "MGET c d")).contains("$1\r\n1\r\n$1\r\n1\r\n");
    }
  }

  @Test
  void moreThanACrashExplainsIsNotCutOff() throws Exception {
    try (EmbeddedRedis redis = EmbeddedRedis.start(config())) {
      ask(redis, "SET before 1");
      ask(redis, "EVAL \"redis.call('set', 'large', string.rep('x', 5242880))\" 0");
    }
    Path data = directory.resolve("redis");
    tear(data, "xxxxx");
    Map<String, Long> torn = sizes(data);
    for (int i = 0; i < 2; i++) {
      assertThatThrownBy(() -> EmbeddedRedis.start(config()))
          .isInstanceOf(RedisStartupException.class)
          .hasMessageContaining("bytes would have to be cut off")
          .hasMessageContaining("redis-check-aof --fix");
      assertThat(sizes(data)).isEqualTo(torn);
      assertThat(besideTheData()).isEmpty();
    }
    noKeeperIsLeft(directory);
  }

  @Test
  void whoMendsAndEndsInBetweenLosesNothing() throws Exception {
    try (EmbeddedRedis redis = EmbeddedRedis.start(config())) {
      ask(redis, "SET a 1");
    }
    Path data = directory.resolve("redis");
    // What is half mended is not taken, what is mended is put in its place.
    Files.createDirectories(directory.resolve("redis-mending"));
    Files.move(data, directory.resolve("redis-mended"));
    try (EmbeddedRedis redis = EmbeddedRedis.start(config())) {
      assertThat(ask(redis, "GET a")).contains("$1\r\n1\r\n");
      assertThat(besideTheData()).isEmpty();
    }
  }

  private List<Path> besideTheData() throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.filter(file -> file.getFileName().toString().startsWith("redis-")).toList();
    }
  }

  private static Map<String, Long> sizes(Path data) throws IOException {
    Map<String, Long> sizes = new TreeMap<>();
    try (Stream<Path> files = Files.walk(data)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        sizes.put(data.relativize(file).toString(), Files.size(file));
      }
    }
    return sizes;
  }

  /** Loses the end of the append-only file, from within the last place that has the word. */
  private static void tear(Path data, String word) throws IOException {
    try (Stream<Path> files = Files.walk(data)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        String content = Files.readString(file, ISO_8859_1);
        int at = content.lastIndexOf(word);
        if (at >= 0) {
          Files.writeString(file, content.substring(0, at + 1), ISO_8859_1);
        }
      }
    }
  }

  @Test
  void aRedisThatAKilledServerLeftBehindIsEndedBeforeTheNextOneStarts() throws Exception {
    EmbeddedRedis.start(config()).close();
    Path binary = RedisBinary.find("", directory.resolve("bin")).path();
    Process orphan =
        new ProcessBuilder(binary.toString(), "--port", "0", "--dir", directory.toString())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    try {
      Files.writeString(directory.resolve("redis.pid"), Long.toString(orphan.pid()));
      try (EmbeddedRedis next = EmbeddedRedis.start(config())) {
        assertThat(orphan.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(next.pid()).isNotEqualTo(orphan.pid());
      }
    } finally {
      orphan.destroyForcibly();
    }
  }

  @Test
  void itIsNotInTheGroupOfProcessesThatTheTerminalSignals() throws Exception {
    try (EmbeddedRedis redis = EmbeddedRedis.start(config())) {
      assertThat(group(redis.pid())).isNotEqualTo(group(ProcessHandle.current().pid()));
    }
  }

  private static String group(long pid) throws IOException {
    Process ps = new ProcessBuilder("ps", "-o", "pgid=", "-p", Long.toString(pid)).start();
    return new String(ps.getInputStream().readAllBytes(), ISO_8859_1).strip();
  }

  @Test
  void thePasswordIsForTheOwnerOnly() throws IOException {
    try (EmbeddedRedis redis = EmbeddedRedis.start(config())) {
      assertThat(redis.url()).startsWith("redis://:");
      assertThat(Files.getPosixFilePermissions(directory.resolve("redis.conf")))
          .isEqualTo(PosixFilePermissions.fromString("rw-------"));
    }
  }

  @Test
  void aKilledRedisComesBackWithItsDataAndScriptsAreLoadedAnew() throws Exception {
    EventLoopGroup loops =
        new MultiThreadIoEventLoopGroup(
            1, Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());
    try (EmbeddedRedis redis = EmbeddedRedis.start(config());
        RedisConnections connections = new RedisConnections(config(), loops)) {
      connections.connect(redis.url());
      RedissonScripts scripts = new RedissonScripts(connections);
      assertThat(open(scripts, 7)).isEqualTo("7");
      long killed = redis.pid();
      ProcessHandle.of(killed).orElseThrow().destroyForcibly();
      await().until(() -> redis.pid() != killed);
      // Another number is not taken over: the first one is still there.
      await().ignoreExceptions().until(() -> open(scripts, 9).equals("7"));
    } finally {
      loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).await();
    }
  }

  private static String open(ScriptRunner scripts, int partitions) throws Exception {
    List<Object> reply =
        scripts
            .run(SCRIPT, PARTITION, "name", partitions, 10)
            .toCompletableFuture()
            .get(60, TimeUnit.SECONDS);
    return new Reply(reply).text(1);
  }

  private RedisConfig config() {
    return EmbeddedRedisFixture.config(directory, "");
  }
}
