package dev.troupe.server.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A Redis as a child of this process: on loopback, behind a random password, with an append-only
 * file.
 *
 * <p>It hangs on a pipe: a small shell reads the pipe's end and terminates Redis when we are gone,
 * however that came. A Redis that dies is started again on the same port with the same data, not
 * more than five times a minute, for as long as it takes: a disk without room may have some again.
 * Only data that is damaged has to wait for somebody.
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

  /**
   * Starts Redis away from the terminal's signals (Ctrl-C is for us; Redis stops when we are done),
   * tells its pid, and ends it when the pipe closes. The loop ends too when Redis ends by itself.
   */
  private static final String KEEPER =
      """
      trap '' INT HUP QUIT
      "$@" </dev/null >>"$LOG" 2>&1 &
      child=$!
      echo $child
      cat >/dev/null
      kill -TERM $child 2>/dev/null
      wait $child
      """;

  private final RedisConfig config;
  private final DataDirectory directory;
  private final RedisBinary binary;
  private final String password;
  private final int port;
  private final Times times;
  private final StartLimit limit;
  private @Nullable Process keeper;
  private @Nullable ProcessHandle redis;
  private final AtomicBoolean closed = new AtomicBoolean();

  private EmbeddedRedis(
      RedisConfig config, DataDirectory directory, RedisBinary binary, int port, Times times) {
    this.config = config;
    this.directory = directory;
    this.binary = binary;
    this.port = port;
    this.times = times;
    this.limit = new StartLimit(MOST_STARTS, times.window());
    byte[] secret = new byte[24];
    new SecureRandom().nextBytes(secret);
    this.password = HexFormat.of().formatHex(secret);
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
    ProcessHandle child;
    data().finishMending();
    Files.createDirectories(directory.path("redis"));
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
    child.onExit().thenAccept(this::ended);
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
    readTwice(data.copy());
    long cut = data.cut();
    if (cut > MOST_CUT) {
      data.clear();
      throw new DamagedDataException(
          "The end of Redis' data in "
              + directory.path("redis")
              + " is torn, and "
              + cut
              + " bytes would have to be cut off, more than a crash of the machine explains. Nothing"
              + " was changed. Copy the directory, then either put a backup in its place, or cut its"
              + " end off with: redis-check-aof --fix <the append-only file>");
    }
    Path before = data.replace();
    log.warn("{} bytes of Redis' data were cut off; {} has it as it was", cut, before);
  }

  private void readTwice(Path data) throws IOException {
    for (int i = 0; i < 2; i++) {
      int at = freePort();
      ProcessHandle child =
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
      letGo(keeper);
      try {
        child.onExit().get(times.silence().toMillis(), TimeUnit.MILLISECONDS);
      } catch (TimeoutException | ExecutionException e) {
        child.destroyForcibly();
        throw new RedisStartupException("Redis does not end after its data was mended", e);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new RedisStartupException("interrupted while Redis mends its data", e);
      }
    }
  }

  /** Starts a Redis that reads the data, and returns when it answers. */
  private ProcessHandle begin(int at, String... options) throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                "sh",
                "-c",
                KEEPER,
                "troupe-redis-keeper",
                binary.path().toString(),
                directory.path("redis.conf").toString()));
    command.addAll(List.of(options));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("LOG", directory.path("redis.log").toString());
    Files.writeString(directory.path("redis.log"), "");
    refuseIfClosed();
    Process started = builder.redirectError(ProcessBuilder.Redirect.DISCARD).start();
    keeper = started;
    try {
      String line =
          new BufferedReader(new InputStreamReader(started.getInputStream(), UTF_8)).readLine();
      if (line == null) {
        throw new RedisStartupException("cannot start " + binary.path());
      }
      long pid = Long.parseLong(line.strip());
      directory.redisStarted(pid);
      ProcessHandle child = ProcessHandle.of(pid).orElseThrow(this::whyItEnded);
      awaitAnswer(child, at);
      return child;
    } catch (IOException | RuntimeException e) {
      letGo(started);
      throw e;
    }
  }

  /** Has a keeper end, and its Redis with it. */
  private static void letGo(@Nullable Process last) throws IOException {
    if (last != null) {
      last.getOutputStream().close();
    }
  }

  /** Whoever closes it must not wait for all the steps of a start. */
  private void refuseIfClosed() {
    if (closed.get()) {
      throw new RedisStartupException("closed while Redis starts");
    }
  }

  /** Much data takes long to read, and Redis says so meanwhile: that is no silence. */
  private void awaitAnswer(ProcessHandle child, int at) {
    long heard = System.nanoTime();
    while (System.nanoTime() - heard < times.silence().toNanos()) {
      refuseIfClosed();
      if (!child.isAlive()) {
        throw whyItEnded();
      }
      try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), at)) {
        socket.setSoTimeout(2000);
        socket
            .getOutputStream()
            .write(("AUTH " + password + "\r\nPING\r\nQUIT\r\n").getBytes(UTF_8));
        String answer = new String(socket.getInputStream().readAllBytes(), UTF_8);
        if (answer.contains("+PONG")) {
          return;
        }
        if (answer.contains("-LOADING")) {
          heard = System.nanoTime();
        }
      } catch (IOException e) {
        log.trace("Redis does not answer yet", e);
      }
      LockSupport.parkNanos(5_000_000);
    }
    child.destroyForcibly();
    throw new RedisStartupException(
        "Redis did not answer within " + times.silence().toSeconds() + " s");
  }

  private RedisStartupException whyItEnded() {
    String words = directory.lastWords();
    String ended = "Redis ended while starting in " + directory + ". It said:\n" + words;
    return words.contains("Bad file format") || words.contains("redis-check-aof")
        ? new DamagedDataException(
            ended
                + "\nThe data is damaged. Keep a copy of "
                + directory.path("redis")
                + ", then repair it with: redis-check-aof --fix <the append-only file>")
        : new RedisStartupException(ended);
  }

  private synchronized void ended(ProcessHandle child) {
    if (closed.get()) {
      return;
    }
    // The pipe's other end is of no use any more.
    if (keeper != null) {
      keeper.destroy();
    }
    redis = null;
    log.warn("Redis (process {}) died. It said:\n{}", child.pid(), directory.lastWords());
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
      later(wait);
      return;
    }
    log.warn("starting Redis again with its data");
    try {
      launch();
    } catch (DamagedDataException damaged) {
      log.error("Redis stays down until its data is repaired and Troupe is started again", damaged);
    } catch (IOException | RedisStartupException e) {
      if (!closed.get()) {
        log.error("Redis cannot be started again", e);
        later(Duration.ZERO);
      }
    }
  }

  private void later(Duration wait) {
    CompletableFuture.delayedExecutor(wait.toNanos(), TimeUnit.NANOSECONDS)
        .execute(this::startAgain);
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
    Process last;
    // A start that is under way has the lock, and sees that it is closed.
    synchronized (this) {
      last = keeper;
    }
    try {
      if (last != null) {
        letGo(last);
        if (!last.waitFor(20, TimeUnit.SECONDS) && redis != null) {
          redis.destroyForcibly();
        }
      }
    } catch (IOException e) {
      log.warn("cannot end Redis", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      directory.close();
    }
  }
}
