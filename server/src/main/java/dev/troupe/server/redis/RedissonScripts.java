package dev.troupe.server.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.redisson.api.RScript;
import org.redisson.api.RedissonClient;
import org.redisson.client.RedisNoScriptException;
import org.redisson.client.codec.ByteArrayCodec;

/** Runs scripts by their SHA, and sends the source once where a node does not know it yet. */
public final class RedissonScripts implements ScriptRunner {

  private final RedisClients clients;
  private final ConnectionLine line = new ConnectionLine();

  public RedissonScripts(RedisClients clients) {
    this.clients = clients;
  }

  @Override
  public CompletionStage<List<Object>> run(
      Script script, Partition partition, Object... arguments) {
    RedissonClient client;
    try {
      client = clients.commands();
    } catch (IllegalStateException e) {
      return CompletableFuture.failedFuture(StoreFailures.unavailable(e));
    }
    RScript redis = client.getScript(ByteArrayCodec.INSTANCE);
    Object[] values = encode(arguments);
    String key = partition.key("log");
    List<Object> keys = List.of(key);
    CompletionStage<List<Object>> reply =
        line.send(
            client,
            key,
            () ->
                redis.evalShaAsync(
                    RScript.Mode.READ_WRITE, script.sha(), RScript.ReturnType.LIST, keys, values));
    return reply
        .exceptionallyCompose(
            failure ->
                StoreFailures.cause(failure) instanceof RedisNoScriptException
                    ? line.send(
                        client,
                        key,
                        () ->
                            redis.evalAsync(
                                RScript.Mode.READ_WRITE,
                                script.source(),
                                RScript.ReturnType.LIST,
                                keys,
                                values))
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
