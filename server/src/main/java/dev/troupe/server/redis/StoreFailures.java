package dev.troupe.server.redis;

import dev.troupe.server.error.TroupeException;
import dev.troupe.v1.ErrorReason;
import java.io.IOException;
import java.net.ConnectException;
import java.time.Duration;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeoutException;
import org.redisson.client.RedisClusterDownException;
import org.redisson.client.RedisConnectionException;
import org.redisson.client.RedisException;
import org.redisson.client.RedisNodeNotFoundException;
import org.redisson.client.RedisOutOfMemoryException;
import org.redisson.client.RedisReadonlyException;
import org.redisson.client.RedisResponseTimeoutException;
import org.redisson.client.RedisRetryException;
import org.redisson.client.RedisTimeoutException;
import org.redisson.client.WriteRedisConnectionException;

/** What callers are told when Redis did not answer. */
public final class StoreFailures {

  private static final Duration TRY_AGAIN = Duration.ofMillis(500);

  private StoreFailures() {}

  /** What went wrong, without what stages wrap around it. */
  static Throwable cause(Throwable failure) {
    return failure instanceof CompletionException && failure.getCause() != null
        ? failure.getCause()
        : failure;
  }

  /**
   * Tells apart what surely did not happen from what may have. When in doubt, it may have: a caller
   * who is told so finds out by asking again, one who is told the opposite does it twice.
   *
   * @param what was asked of Redis
   */
  public static RuntimeException of(String what, Throwable thrown) {
    Throwable failure = cause(thrown);
    if (failure instanceof TroupeException told) {
      return told;
    }
    if (failure instanceof TimeoutException
        || failure instanceof RedisResponseTimeoutException
        || failure instanceof WriteRedisConnectionException) {
      return TroupeException.outcomeUnknown(failure);
    }
    if (isWithoutConnection(failure)) {
      return unavailable(failure);
    }
    if (failure instanceof RedisTimeoutException) {
      return TroupeException.outcomeUnknown(failure);
    }
    if (failure instanceof RedisConnectionException
        || failure instanceof RedisNodeNotFoundException
        || failure instanceof RedisRetryException
        || failure instanceof RedisClusterDownException
        || failure instanceof RedisReadonlyException
        || failure instanceof RedisOutOfMemoryException) {
      return unavailable(failure);
    }
    // After a failover Redisson wraps what went wrong below it.
    if (isCausedBy(failure, ConnectException.class)) {
      return unavailable(failure);
    }
    if (isCausedBy(failure, IOException.class)) {
      return TroupeException.outcomeUnknown(failure);
    }
    String message = String.valueOf(failure.getMessage());
    if (message.contains("MISCONF")) {
      // It was refused at the first write, so nothing came before it.
      return refused("the store cannot write to its disk; nothing was changed", failure);
    }
    if (failure instanceof RedisException
        && (message.startsWith("OOM") || message.contains("shutdown"))) {
      return unavailable(failure);
    }
    if (failure instanceof NotConnectedException || message.contains("is shutdown")) {
      return unavailable(failure);
    }
    return new IllegalStateException(what + " failed", failure);
  }

  /** Whether it waited for a connection in vain, so that nothing was sent. */
  static boolean isWithoutConnection(Throwable thrown) {
    Throwable failure = cause(thrown);
    return failure instanceof RedisTimeoutException
        && String.valueOf(failure.getMessage()).startsWith("Unable to acquire connection");
  }

  /** The same of what changes nothing, so that it can always be asked again. */
  public static RuntimeException ofRead(String what, Throwable thrown) {
    RuntimeException failure = of(what, thrown);
    return failure instanceof TroupeException told
            && told.reason() == ErrorReason.ERROR_REASON_OUTCOME_UNKNOWN
        ? unavailable(cause(thrown))
        : failure;
  }

  private static boolean isCausedBy(Throwable failure, Class<? extends IOException> kind) {
    Throwable cause = failure;
    while (cause != null && !kind.isInstance(cause)) {
      cause = cause.getCause();
    }
    return cause != null;
  }

  static TroupeException unavailable(Throwable cause) {
    return refused("the store cannot be reached; nothing was changed", cause);
  }

  private static TroupeException refused(String why, Throwable cause) {
    return TroupeException.retryable(
        ErrorReason.ERROR_REASON_STORE_UNAVAILABLE, why, TRY_AGAIN, cause);
  }
}
