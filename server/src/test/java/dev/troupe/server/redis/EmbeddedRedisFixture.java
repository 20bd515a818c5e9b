package dev.troupe.server.redis;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.awaitility.Awaitility.await;

import dev.troupe.server.config.Config;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;

/** What tests of the embedded Redis start it with, and how they ask it. */
final class EmbeddedRedisFixture {

  private EmbeddedRedisFixture() {}

  /** With every write on the disk before it is answered. */
  static RedisConfig config(Path directory, String binary) {
    RedisConfig defaults = Config.defaults(RedisConfig.class);
    return new RedisConfig(
        defaults.url(),
        defaults.tlsCa(),
        defaults.connections(),
        defaults.timeout(),
        directory,
        RedisConfig.Fsync.ALWAYS,
        binary,
        defaults.partitions());
  }

  /** Sends one line and yields everything that comes, the answers to AUTH and QUIT too. */
  static String ask(EmbeddedRedis redis, String command) throws IOException {
    URI url = URI.create(redis.url());
    try (Socket socket = new Socket(url.getHost(), url.getPort())) {
      String login = "AUTH " + url.getUserInfo().substring(1);
      socket
          .getOutputStream()
          .write((login + "\r\n" + command + "\r\nQUIT\r\n").getBytes(ISO_8859_1));
      return new String(socket.getInputStream().readAllBytes(), ISO_8859_1);
    }
  }

  /** Of those that were started for a directory. */
  static void noKeeperIsLeft(Path directory) {
    await().until(() -> keepers(directory).isEmpty());
  }

  /** The processes that keep the Redis of a directory. */
  static List<ProcessHandle> keepers(Path directory) {
    return ProcessHandle.current()
        .children()
        .filter(child -> child.info().commandLine().orElse("").contains(directory.toString()))
        .toList();
  }
}
