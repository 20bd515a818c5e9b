package dev.troupe.server.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.troupe.server.error.TroupeException;
import dev.troupe.v1.ErrorReason;
import java.io.IOException;
import java.net.ConnectException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.redisson.api.RScript;
import org.redisson.client.RedisClusterDownException;
import org.redisson.client.RedisConnectionException;
import org.redisson.client.RedisException;
import org.redisson.client.RedisNoScriptException;
import org.redisson.client.RedisNodeNotFoundException;
import org.redisson.client.RedisOutOfMemoryException;
import org.redisson.client.RedisReadonlyException;
import org.redisson.client.RedisResponseTimeoutException;
import org.redisson.client.RedisRetryException;
import org.redisson.client.RedisTimeoutException;
import org.redisson.client.WriteRedisConnectionException;
import org.redisson.client.codec.ByteArrayCodec;

/** Runs scripts by their SHA, and sends the source once where a node does not know it yet. */
public final class RedissonScripts implements ScriptRunner {

  private static final Duration TRY_AGAIN = Duration.ofMillis(500);

  private final RedisClients clients;

  public RedissonScripts(RedisClients clients) {
    this.clients = clients;
  }

  @Override
  public CompletionStage<List<Object>> run(
      Script script, Partition partition, Object... arguments) {
    RScript redis;
    try {
      redis = clients.commands().getScript(ByteArrayCodec.INSTANCE);
    } catch (IllegalStateException e) {
      return CompletableFuture.failedFuture(unavailable(e));
    }
    Object[] values = encode(arguments);
    List<Object> keys = List.of(partition.key("log"));
    CompletionStage<List<Object>> reply =
        redis.evalShaAsync(
            RScript.Mode.READ_WRITE, script.sha(), RScript.ReturnType.LIST, keys, values);
    return reply
        .exceptionallyCompose(
            failure ->
                cause(failure) instanceof RedisNoScriptException
                    ? redis.evalAsync(
                        RScript.Mode.READ_WRITE,
                        script.source(),
                        RScript.ReturnType.LIST,
                        keys,
                        values)
                    : CompletableFuture.failedFuture(failure))
        .exceptionallyCompose(
            failure -> CompletableFuture.failedFuture(translate(script, cause(failure))));
  }

  private static Object[] encode(Object[] arguments) {
    Object[] values = new Object[arguments.length];
    for (int i = 0; i < arguments.length; i++) {
      values[i] =
          arguments[i] instanceof byte[] bytes ? bytes : arguments[i].toString().getBytes(UTF_8);
    }
    return values;
  }

  private static Throwable cause(Throwable failure) {
    return failure instanceof CompletionException && failure.getCause() != null
        ? failure.getCause()
        : failure;
  }

  /**
   * Tells apart what surely did not happen from what may have. When in doubt, it may have: a caller
   * who is told so finds out by asking again, one who is told the opposite does it twice.
   */
  private static RuntimeException translate(Script script, Throwable failure) {
    if (failure instanceof RedisResponseTimeoutException
        || failure instanceof WriteRedisConnectionException) {
      return TroupeException.outcomeUnknown(failure);
    }
    if (failure instanceof RedisTimeoutException) {
      // Redisson says "Unable to acquire connection" when nothing was sent.
      return String.valueOf(failure.getMessage()).startsWith("Unable to acquire connection")
          ? unavailable(failure)
          : TroupeException.outcomeUnknown(failure);
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
    if (message.contains("is shutdown")) {
      return unavailable(failure);
    }
    return new IllegalStateException("script " + script.name() + " failed", failure);
  }

  private static boolean isCausedBy(Throwable failure, Class<? extends IOException> kind) {
    Throwable cause = failure;
    while (cause != null && !kind.isInstance(cause)) {
      cause = cause.getCause();
    }
    return cause != null;
  }

  private static TroupeException unavailable(Throwable cause) {
    return refused("the store cannot be reached; nothing was changed", cause);
  }

  private static TroupeException refused(String why, Throwable cause) {
    return TroupeException.retryable(
        ErrorReason.ERROR_REASON_STORE_UNAVAILABLE, why, TRY_AGAIN, cause);
  }
}
