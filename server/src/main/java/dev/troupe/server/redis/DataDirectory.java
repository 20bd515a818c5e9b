package dev.troupe.server.redis;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The directory that an embedded Redis keeps its data in, held by one server at a time.
 *
 * <pre>
 * troupe-data  marks the directory as ours; format of the data, major version of the Redis
 * lock         held while a server uses the directory; pid of that server
 * redis.pid    pid of the Redis that serves the data
 * redis.conf   its configuration, readable by the owner only
 * redis.log    what it says
 * redis/       its data
 * </pre>
 */
final class DataDirectory implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(DataDirectory.class);

  /** Raised when the keys or what they hold change so that older data cannot be read. */
  private static final int FORMAT = 2;

  private final Path root;
  private final FileChannel lockFile;

  private DataDirectory(Path root, FileChannel lockFile) {
    this.root = root;
    this.lockFile = lockFile;
  }

  /**
   * Takes the directory, making it if it is not there.
   *
   * @throws RedisStartupException when it is another server's, not ours, or cannot be written
   */
  static DataDirectory take(Path directory) {
    Path root = directory.toAbsolutePath().normalize();
    try {
      Files.createDirectories(root);
      refuseForeign(root);
      FileChannel channel =
          FileChannel.open(
              root.resolve("lock"),
              StandardOpenOption.CREATE,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE);
      lock(root, channel);
      DataDirectory taken = new DataDirectory(root, channel);
      taken.endOrphan();
      return taken;
    } catch (IOException e) {
      throw new RedisStartupException(
          "the data directory " + root + " cannot be used: " + e.getMessage(), e);
    }
  }

  private static void refuseForeign(Path root) throws IOException {
    if (Files.exists(root.resolve("troupe-data"))) {
      return;
    }
    try (Stream<Path> content = Files.list(root)) {
      Optional<Path> other =
          content
              .filter(path -> !path.getFileName().toString().matches("lock|bin|troupe-data.new"))
              .findFirst();
      if (other.isPresent()) {
        throw new RedisStartupException(
            "the directory "
                + root
                + " holds something else ("
                + other.get().getFileName()
                + "); choose an empty one with redis.data-dir");
      }
    }
  }

  private static void lock(Path root, FileChannel channel) throws IOException {
    FileLock lock;
    try {
      lock = channel.tryLock();
    } catch (OverlappingFileLockException e) {
      lock = null;
    }
    if (lock == null) {
      String holder = Files.readString(root.resolve("lock")).strip();
      channel.close();
      throw new RedisStartupException(
          "the data directory " + root + " is in use by process " + holder);
    }
    channel.truncate(0);
    channel.write(ByteBuffer.wrap(Long.toString(ProcessHandle.current().pid()).getBytes(UTF_8)));
  }

  /** Ends the Redis of a server that was killed: it would write to the same files as ours. */
  private void endOrphan() throws IOException {
    Path pidFile = root.resolve("redis.pid");
    if (!Files.exists(pidFile)) {
      return;
    }
    String pid = Files.readString(pidFile).strip();
    // Nothing is in it when the disk had no room for it; then that Redis was ended at once.
    Optional<ProcessHandle> orphan =
        pid.matches("\\d{1,18}")
            ? ProcessHandle.of(Long.parseLong(pid)).filter(this::isOurs)
            : Optional.empty();
    if (orphan.isPresent()) {
      log.warn("ending the Redis that a killed server left behind, process {}", orphan.get().pid());
      orphan.get().destroy();
      try {
        orphan.get().onExit().get(20, TimeUnit.SECONDS);
      } catch (TimeoutException | ExecutionException e) {
        orphan.get().destroyForcibly();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new RedisStartupException("interrupted while an old Redis ends", e);
      }
    }
    Files.deleteIfExists(pidFile);
  }

  /** A pid may have been given to somebody else since. */
  private boolean isOurs(ProcessHandle process) {
    return commandLine(process).contains("redis-server");
  }

  private static String commandLine(ProcessHandle process) {
    return process.info().commandLine().or(() -> process.info().command()).orElse("");
  }

  /**
   * Marks the directory with the Redis that is going to write to it.
   *
   * @throws RedisStartupException when a newer one wrote to it before, or a Troupe that lays out
   *     its data in another way
   */
  void mark(RedisBinary binary) throws IOException {
    Path marker = root.resolve("troupe-data");
    if (Files.exists(marker)) {
      int format = number(marker, "format");
      if (format != FORMAT) {
        throw new RedisStartupException(
            "the data in "
                + root
                + " has format "
                + format
                + ", and this version of Troupe reads format "
                + FORMAT
                + "; start with another redis.data-dir, or with the version that wrote it");
      }
      int before = number(marker, "redis");
      if (before > binary.major()) {
        throw new RedisStartupException(
            "the data in "
                + root
                + " was written by Redis "
                + before
                + ", and "
                + binary.path()
                + " is the older "
                + binary.version());
      }
    }
    String content = "format=" + FORMAT + "\nredis=" + binary.major() + "\n";
    if (!Files.exists(marker) || !Files.readString(marker).equals(content)) {
      // On a full disk the old one has to stay: without it nobody reads the data again.
      Path fresh = root.resolve("troupe-data.new");
      Files.writeString(fresh, content);
      RedisData.force(fresh);
      Files.move(fresh, marker, StandardCopyOption.ATOMIC_MOVE);
    }
  }

  private static int number(Path marker, String name) throws IOException {
    return Files.readAllLines(marker).stream()
        .filter(line -> line.matches(name + "=\\d+"))
        .mapToInt(line -> Integer.parseInt(line.substring(name.length() + 1)))
        .findFirst()
        .orElse(0);
  }

  Path path(String name) {
    return root.resolve(name);
  }

  void redisStarted(long pid) throws IOException {
    Files.writeString(root.resolve("redis.pid"), Long.toString(pid));
  }

  /** Where Redis logs, from the beginning. */
  Path emptyLog() throws IOException {
    return Files.write(root.resolve("redis.log"), new byte[0]);
  }

  /** The last lines that Redis logged. */
  String lastWords() {
    try {
      // Whatever bytes there are: a damaged command is quoted as it is.
      List<String> lines = Files.readAllLines(root.resolve("redis.log"), ISO_8859_1);
      return String.join("\n", lines.subList(Math.max(0, lines.size() - 8), lines.size()));
    } catch (IOException e) {
      return "";
    }
  }

  @Override
  public void close() {
    try {
      Files.deleteIfExists(root.resolve("redis.pid"));
      lockFile.close();
    } catch (IOException e) {
      log.warn("cannot let go of {}", root, e);
    }
  }

  @Override
  public String toString() {
    return root.toString();
  }
}
