package dev.troupe.server.redis;

import dev.troupe.server.lifecycle.Service;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.redisson.api.RLock;

/**
 * Leaders by Redisson's own lock, which fits here: it belongs to a server. Its watchdog renews it,
 * and it runs out {@value #LEASE_MILLIS} ms after its server died; one that stops gives it back.
 */
final class RedissonLeaders implements Leaders, Service {

  /** Redisson renews at a third of it. */
  static final int LEASE_MILLIS = 2000;

  /** How long an answer is believed: a sweep every 5 ms need not ask each time. */
  private static final long BELIEVED_NANOS = 250_000_000;

  private static final long RESIGN_MILLIS = 300;

  /**
   * Longer than any command of Redisson takes; a duty must not hang on one that is never answered.
   */
  private static final long ANSWER_MILLIS = 10_000;

  /** Redisson names an owner by client and thread; there is one for each duty of a server. */
  private static final long THREAD = 1;

  private final RedisClients clients;
  private final Map<String, LockLeader> leaders = new ConcurrentHashMap<>();
  private volatile boolean stopping;

  RedissonLeaders(RedisClients clients) {
    this.clients = clients;
  }

  @Override
  public Leader of(String duty) {
    return leaders.computeIfAbsent(duty, LockLeader::new);
  }

  @Override
  public CompletionStage<?> stop(Duration grace) {
    stopping = true;
    return CompletableFuture.allOf(
        leaders.values().stream().map(LockLeader::resign).toArray(CompletableFuture<?>[]::new));
  }

  /** One duty. */
  private final class LockLeader implements Leader {

    private final String key;
    private volatile boolean mine;
    private volatile long askedNanos = System.nanoTime() - BELIEVED_NANOS;

    LockLeader(String duty) {
      this.key = "troupe:{troupe/0}:leader:" + duty;
    }

    @Override
    public CompletionStage<Boolean> isMe() {
      if (System.nanoTime() - askedNanos < BELIEVED_NANOS) {
        return CompletableFuture.completedFuture(mine);
      }
      RLock lock;
      try {
        lock = clients.commands().getLock(key);
      } catch (IllegalStateException notConnected) {
        return CompletableFuture.completedFuture(false);
      }
      // Asked before it is taken, as taking it again would count.
      CompletionStage<Boolean> held = lock.isHeldByThreadAsync(THREAD);
      return held.thenCompose(
              still ->
                  still || stopping
                      ? CompletableFuture.completedFuture(still)
                      : lock.tryLockAsync(THREAD))
          .thenApply(
              got -> {
                mine = got;
                askedNanos = System.nanoTime();
                return got;
              })
          .toCompletableFuture()
          .orTimeout(ANSWER_MILLIS, TimeUnit.MILLISECONDS)
          .exceptionallyCompose(
              failure ->
                  CompletableFuture.failedFuture(StoreFailures.ofRead("taking a duty", failure)));
    }

    CompletableFuture<?> resign() {
      if (!mine) {
        return CompletableFuture.completedFuture(null);
      }
      mine = false;
      try {
        return clients
            .commands()
            .getLock(key)
            .unlockAsync(THREAD)
            .toCompletableFuture()
            // Redis may be gone already, and the lock runs out anyway.
            .completeOnTimeout(null, RESIGN_MILLIS, TimeUnit.MILLISECONDS)
            .exceptionally(failure -> null);
      } catch (IllegalStateException notConnected) {
        return CompletableFuture.completedFuture(null);
      }
    }
  }
}
