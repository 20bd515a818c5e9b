package dev.troupe.server.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.redisson.api.RScript;
import org.redisson.client.RedisNoScriptException;
import org.redisson.client.codec.ByteArrayCodec;

/** Runs scripts by their SHA, and sends the source once where a node does not know it yet. */
public final class RedissonScripts implements ScriptRunner {

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
      return CompletableFuture.failedFuture(StoreFailures.unavailable(e));
    }
    Object[] values = encode(arguments);
    List<Object> keys = List.of(partition.key("log"));
    CompletionStage<List<Object>> reply =
        redis.evalShaAsync(
            RScript.Mode.READ_WRITE, script.sha(), RScript.ReturnType.LIST, keys, values);
    return reply
        .exceptionallyCompose(
            failure ->
                StoreFailures.cause(failure) instanceof RedisNoScriptException
                    ? redis.evalAsync(
                        RScript.Mode.READ_WRITE,
                        script.source(),
                        RScript.ReturnType.LIST,
                        keys,
                        values)
                    : CompletableFuture.failedFuture(failure))
        .exceptionallyCompose(
            failure ->
                CompletableFuture.failedFuture(
                    StoreFailures.of("script " + script.name(), failure)));
  }

  private static Object[] encode(Object[] arguments) {
    Object[] values = new Object[arguments.length];
    for (int i = 0; i < arguments.length; i++) {
      values[i] =
          arguments[i] instanceof byte[] bytes ? bytes : arguments[i].toString().getBytes(UTF_8);
    }
    return values;
  }
}
