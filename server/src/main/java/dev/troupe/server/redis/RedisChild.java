package dev.troupe.server.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A {@code redis-server} that hangs on a pipe: a small shell, its keeper, reads the pipe's end and
 * terminates Redis when we are gone, however that came.
 */
final class RedisChild {

  private static final Logger log = LoggerFactory.getLogger(RedisChild.class);

  /**
   * Starts Redis away from signals to our process group (Ctrl-C and what supervisors send are for
   * us; Redis stops when we are done), tells its pid, and ends it when the pipe closes. To ignore
   * signals is not enough: Redis handles SIGINT and SIGTERM whatever it inherits, so it gets a
   * session of its own where {@code setsid} is there. And it must not ignore the one that ends it
   * while it is too young to handle it.
   */
  private static final String KEEPER =
      """
      trap '' INT HUP QUIT TERM
      ( trap - TERM; exec $(command -v setsid) "$@" ) </dev/null >>"$LOG" 2>&1 &
      child=$!
      echo $child
      cat >/dev/null
      kill -TERM $child 2>/dev/null
      wait $child
      """;

  /** Shells add it to the number of the signal that a process ended of. */
  private static final int SIGNALLED = 128;

  /** For one that is not wanted any more before it was of use. */
  static final Duration PATIENCE = Duration.ofSeconds(5);

  private final Process keeper;
  private @Nullable ProcessHandle redis;

  private RedisChild(Process keeper) {
    this.keeper = keeper;
  }

  /**
   * Starts one, which need not answer yet.
   *
   * @throws RedisStartupException when there is nothing that could be started
   */
  static RedisChild start(DataDirectory directory, RedisBinary binary, List<String> options)
      throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                "sh",
                "-c",
                KEEPER,
                "troupe-redis-keeper",
                binary.path().toString(),
                directory.path("redis.conf").toString()));
    command.addAll(options);
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("LOG", directory.emptyLog().toString());
    RedisChild child =
        new RedisChild(builder.redirectError(ProcessBuilder.Redirect.DISCARD).start());
    try {
      child.hear(directory, binary);
      return child;
    } catch (IOException | RuntimeException e) {
      child.end(PATIENCE);
      throw e;
    }
  }

  private void hear(DataDirectory directory, RedisBinary binary) throws IOException {
    String line =
        new BufferedReader(new InputStreamReader(keeper.getInputStream(), UTF_8)).readLine();
    if (line == null) {
      throw new RedisStartupException("cannot start " + binary.path());
    }
    long pid = Long.parseLong(line.strip());
    // None when it has ended already, which whoever waits for its answer will see.
    redis = ProcessHandle.of(pid).orElse(null);
    directory.redisStarted(pid);
  }

  long pid() {
    return redis == null ? 0 : redis.pid();
  }

  boolean isAlive() {
    return redis != null && redis.isAlive();
  }

  /** Calls back when Redis has ended, on any thread. */
  void whenEnded(Runnable callback) {
    if (redis == null) {
      callback.run();
    } else {
      redis.onExit().thenRun(callback);
    }
  }

  /**
   * Lets Redis write what it has, and ends it; returns when it has ended.
   *
   * @param patience after which it is killed
   */
  void end(Duration patience) {
    try {
      keeper.getOutputStream().close();
    } catch (IOException e) {
      log.debug("the keeper of Redis is gone already", e);
    }
    try {
      if (!keeper.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS)) {
        kill();
      } else {
        endAlone(patience);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      kill();
    }
  }

  /** Where somebody killed the keeper, Redis has to be ended without it. */
  private void endAlone(Duration patience) throws InterruptedException {
    if (redis == null || !redis.isAlive()) {
      return;
    }
    redis.destroy();
    try {
      redis.onExit().get(patience.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException | ExecutionException e) {
      kill();
    }
  }

  /** How it ended, to be said behind "died"; empty when nobody knows. */
  String how() {
    if (keeper.isAlive()) {
      return "";
    }
    // The keeper ends as Redis did, in the way of shells.
    int status = keeper.exitValue();
    return status > SIGNALLED ? " of signal " + (status - SIGNALLED) : " with status " + status;
  }

  private void kill() {
    if (redis != null) {
      redis.destroyForcibly();
      try {
        redis.onExit().get(10, TimeUnit.SECONDS);
      } catch (TimeoutException | ExecutionException e) {
        log.warn("Redis (process {}) does not end", redis.pid(), e);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    keeper.destroyForcibly();
  }
}
