package dev.troupe.server.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A Redis as a child of this process: on loopback, behind a random password, with an append-only
 * file.
 *
 * <p>One that dies is started again on the same port with the same data, not more than five times a
 * minute, for as long as it takes: a disk without room may have some again. Only data that is
 * damaged has to wait for somebody.
 */
public final class EmbeddedRedis implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(EmbeddedRedis.class);
  private static final int MOST_STARTS = 5;

  /**
   * More than this is not cut off without being asked for: a crash of the machine takes what was
   * written last, so that so much may be worth somebody's look.
   */
  private static final long MOST_CUT = 4L << 20;

  /** What Redis says when its file ends within a command or a transaction. */
  private static final String TORN = "Unexpected end of file";

  /** What Redis says when it will not take its data, however often it is asked to. */
  private static final Pattern DAMAGED =
      Pattern.compile(
          "bad file format|redis-check-|rdb preamble|rdb reading|rdb checksum|rdb file reading"
              + "|error loading the db|unknown command|aof manifest|wrong signature",
          Pattern.CASE_INSENSITIVE);

  private final RedisConfig config;
  private final DataDirectory directory;
  private final RedisBinary binary;
  private final String password;
  private final int port;
  private final Times times;
  private final StartLimit limit;
  private final AtomicBoolean closed = new AtomicBoolean();

  /** Where it is started again: that takes as long as Redis reads its data. */
  private final ScheduledThreadPoolExecutor restarts;

  private @Nullable RedisChild redis;

  private EmbeddedRedis(
      RedisConfig config, DataDirectory directory, RedisBinary binary, int port, Times times) {
    this.config = config;
    this.directory = directory;
    this.binary = binary;
    this.port = port;
    this.times = times;
    limit = new StartLimit(MOST_STARTS, times.window());
    restarts =
        new ScheduledThreadPoolExecutor(
            1,
            task -> {
              Thread thread = new Thread(task, "embedded-redis");
              thread.setDaemon(true);
              return thread;
            });
    restarts.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    byte[] secret = new byte[24];
    new SecureRandom().nextBytes(secret);
    password = HexFormat.of().formatHex(secret);
  }

  /**
   * Starts one and returns when it answers.
   *
   * @throws RedisStartupException with a message for people
   */
  public static EmbeddedRedis start(RedisConfig config) {
    return start(config, new Times(Duration.ofMinutes(1), Duration.ofMinutes(1)));
  }

  /**
   * How long things may take.
   *
   * @param silence of a Redis that starts, longer than which it is taken for hung
   * @param window within which it is started again five times at most
   */
  record Times(Duration silence, Duration window) {}

  static EmbeddedRedis start(RedisConfig config, Times times) {
    DataDirectory directory = DataDirectory.take(config.dataDir());
    try {
      RedisBinary binary = RedisBinary.find(config.binary(), directory.path("bin"));
      directory.mark(binary);
      EmbeddedRedis redis = new EmbeddedRedis(config, directory, binary, freePort(), times);
      redis.data().finishMending();
      Files.createDirectories(directory.path("redis"));
      redis.configure();
      redis.launch();
      return redis;
    } catch (IOException e) {
      directory.close();
      throw new RedisStartupException("cannot start Redis in " + directory + ": " + e, e);
    } catch (RuntimeException e) {
      directory.close();
      throw e;
    }
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private void configure() throws IOException {
    Path file = directory.path("redis.conf");
    Files.deleteIfExists(file);
    Files.createFile(
        file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Files.writeString(
        file,
        String.join(
            "\n",
            "bind 127.0.0.1",
            "requirepass " + password,
            "dir \"" + directory.path("redis") + "\"",
            "appendonly yes",
            "appendfsync " + (config.fsync() == RedisConfig.Fsync.ALWAYS ? "always" : "everysec"),
            "port " + port,
            // Redis would load half of what a script wrote, with its next start but one.
            "aof-load-truncated no",
            "save \"\"",
            "maxmemory-policy noeviction",
            "daemonize no",
            ""));
  }

  private synchronized void launch() throws IOException {
    RedisChild child;
    try {
      child = begin(port);
    } catch (RedisStartupException refused) {
      if (closed.get() || !directory.lastWords().contains(TORN)) {
        throw refused;
      }
      log.warn("the end of Redis' data is torn, as by a crash of the machine");
      mend();
      child = begin(port);
    }
    redis = child;
    child.whenEnded(() -> schedule(Duration.ZERO, this::ended));
  }

  private RedisData data() {
    return new RedisData(directory.path("redis"));
  }

  /**
   * Cuts off what is left of a write that was torn. Where it tears a command of a script, Redis
   * takes away that command at one start, and the others of the script at the next, but only if
   * nothing was written in between: so nobody may know the port. That is done to a copy, which
   * takes the place of the data when it is whole.
   */
  private void mend() throws IOException {
    RedisData data = data();
    try {
      readTwice(data.copy());
      long cut = data.cut();
      if (cut > MOST_CUT) {
        throw new DamagedDataException(
            "The end of Redis' data in "
                + directory.path("redis")
                + " is torn, and "
                + cut
                + " bytes would have to be cut off, more than a crash of the machine explains."
                + " Nothing was changed. Copy the directory, then either put a backup in its place,"
                + " or cut its end off with: redis-check-aof --fix <the append-only file>");
      }
      Path before = data.replace();
      log.warn("{} bytes of Redis' data were cut off; {} has it as it was", cut, before);
    } catch (IOException | RuntimeException e) {
      clearCopy(data, e);
      throw e;
    }
  }

  /** On a full disk half a copy would take the last of the room. */
  private static void clearCopy(RedisData data, Exception failure) {
    try {
      data.clearCopy();
    } catch (IOException e) {
      failure.addSuppressed(e);
    }
  }

  private void readTwice(Path data) throws IOException {
    for (int i = 0; i < 2; i++) {
      int at = freePort();
      RedisChild child =
          begin(
              at,
              "--port",
              "" + at,
              "--dir",
              data.toString(),
              "--aof-load-truncated",
              "yes",
              // It would write all data anew, and leave nothing to compare.
              "--auto-aof-rewrite-percentage",
              "0");
      child.end(times.silence());
    }
  }

  /** Starts a Redis that reads the data, and returns when it answers. */
  private RedisChild begin(int at, String... options) throws IOException {
    refuseIfClosed();
    RedisChild child = RedisChild.start(directory, binary, List.of(options));
    try {
      awaitAnswer(child, at);
      return child;
    } catch (RuntimeException e) {
      child.end(RedisChild.PATIENCE);
      throw e;
    }
  }

  /** Whoever closes it must not wait for all the steps of a start. */
  private void refuseIfClosed() {
    if (closed.get()) {
      throw new RedisStartupException("closed while Redis starts");
    }
  }

  /** Much data takes long to read, and Redis says so meanwhile: that is no silence. */
  private void awaitAnswer(RedisChild child, int at) {
    long heard = System.nanoTime();
    while (System.nanoTime() - heard < times.silence().toNanos()) {
      refuseIfClosed();
      String answer = ping(at);
      if (!child.isAlive()) {
        throw whyItEnded();
      }
      // One that cannot write to its disk says so instead, and answers those who read.
      if (answer.contains("+PONG") || answer.contains("-MISCONF")) {
        return;
      }
      if (answer.contains("-LOADING")) {
        heard = System.nanoTime();
      }
      LockSupport.parkNanos(5_000_000);
    }
    throw new RedisStartupException(
        "Redis did not answer within " + times.silence().toSeconds() + " s");
  }

  private String ping(int at) {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), at)) {
      socket.setSoTimeout(2000);
      socket.getOutputStream().write(("AUTH " + password + "\r\nPING\r\nQUIT\r\n").getBytes(UTF_8));
      return new String(socket.getInputStream().readAllBytes(), UTF_8);
    } catch (IOException e) {
      log.trace("Redis does not answer yet", e);
      return "";
    }
  }

  private RedisStartupException whyItEnded() {
    String words = directory.lastWords();
    String ended = "Redis ended while starting in " + directory + ". It said:\n" + words;
    return DAMAGED.matcher(words).find()
        ? new DamagedDataException(
            ended
                + "\nThe data is damaged. Keep a copy of "
                + directory.path("redis")
                + ", then repair it with: redis-check-aof --fix <the append-only file>")
        : new RedisStartupException(ended);
  }

  private synchronized void ended() {
    RedisChild child = redis;
    if (closed.get() || child == null) {
      return;
    }
    redis = null;
    child.end(RedisChild.PATIENCE);
    log.warn(
        "Redis (process {}) died{}. It said:\n{}", child.pid(), child.how(), directory.lastWords());
    startAgain();
  }

  private synchronized void startAgain() {
    if (closed.get()) {
      return;
    }
    Duration wait = limit.claim(System.nanoTime());
    if (!wait.isZero()) {
      log.error(
          "Redis was started {} times within {} s; the next start is in {} ms",
          MOST_STARTS,
          times.window().toSeconds(),
          wait.toMillis());
      schedule(wait, this::startAgain);
      return;
    }
    log.warn("starting Redis again with its data");
    try {
      // The directory is not made: where it is missing, somebody may be about to put it back.
      data().finishMending();
      launch();
    } catch (DamagedDataException damaged) {
      log.error(
          "Redis stays down until its data is repaired and Troupe is started again. {}",
          damaged.getMessage());
    } catch (IOException | RuntimeException e) {
      if (!closed.get()) {
        log.warn("Redis did not start, which is tried again: {}", e.toString());
        schedule(Duration.ZERO, this::startAgain);
      }
    }
  }

  private void schedule(Duration wait, Runnable step) {
    try {
      restarts.schedule(step, wait.toNanos(), TimeUnit.NANOSECONDS);
    } catch (RejectedExecutionException e) {
      log.debug("closed meanwhile", e);
    }
  }

  /** Where it is, in the form of {@code redis.url}. Holds the password. */
  public String url() {
    return "redis://:" + password + "@127.0.0.1:" + port;
  }

  /** Process id of the Redis that runs now; 0 when none does. */
  public synchronized long pid() {
    return redis == null ? 0 : redis.pid();
  }

  /** Version and place, for people. */
  public String describe() {
    return "embedded Redis " + binary.version() + " on port " + port;
  }

  /** Lets Redis write what it has, and ends it. */
  @Override
  public void close() {
    if (closed.getAndSet(true)) {
      return;
    }
    restarts.shutdown();
    // A start that is under way has the lock, and sees that it is closed.
    synchronized (this) {
      if (redis != null) {
        redis.end(Duration.ofSeconds(20));
      }
    }
    directory.close();
  }
}
