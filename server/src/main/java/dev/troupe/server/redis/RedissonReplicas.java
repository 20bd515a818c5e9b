package dev.troupe.server.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.troupe.server.error.TroupeException;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.redisson.api.BatchOptions;
import org.redisson.api.BatchResult;
import org.redisson.api.RBatch;
import org.redisson.api.RScript;
import org.redisson.client.codec.ByteArrayCodec;

/**
 * Replicas by WAIT. It counts from the last write of its own connection, so a small write goes
 * before it; replication keeps the order of writes, so what came earlier over any connection is
 * covered. It holds its connection, and so is not sent on those of the commands.
 */
final class RedissonReplicas implements Replicas {

  private static final Duration PATIENCE = Duration.ofSeconds(1);
  private static final long ANSWER_MILLIS = 3_000;
  private static final int MOST_TOGETHER = 1_000;
  private static final Script WRITE = Script.load("redis/replicas");

  private final RedisClients clients;
  private final ScriptBatcher<Partition, Boolean, Boolean> batcher;

  RedissonReplicas(RedisClients clients) {
    this.clients = clients;
    this.batcher =
        new ScriptBatcher<>(
            MOST_TOGETHER,
            (partition, calls) ->
                ask(partition).thenApply(known -> Collections.nCopies(calls.size(), known)),
            call -> 1);
  }

  @Override
  public CompletionStage<?> acknowledged(Partition partition) {
    return batcher
        .add(partition, true)
        .exceptionallyCompose(
            failure -> CompletableFuture.failedFuture(TroupeException.outcomeUnknown(failure)))
        .thenCompose(
            known ->
                known
                    ? CompletableFuture.completedFuture(null)
                    : CompletableFuture.failedFuture(
                        TroupeException.outcomeUnknown(
                            new TimeoutException("no replica acknowledged in time"))));
  }

  private CompletionStage<Boolean> ask(Partition partition) {
    RBatch batch =
        clients
            .blocking()
            .createBatch(
                BatchOptions.defaults()
                    .sync(1, PATIENCE)
                    .retryAttempts(0)
                    .responseTimeout(ANSWER_MILLIS, TimeUnit.MILLISECONDS));
    CompletionStage<List<Object>> written =
        batch
            .getScript(ByteArrayCodec.INSTANCE)
            .evalAsync(
                RScript.Mode.READ_WRITE,
                WRITE.source(),
                RScript.ReturnType.LIST,
                List.of(new String(partition.logKey(), UTF_8)));
    CompletionStage<BatchResult<?>> sent = batch.executeAsync();
    return sent.thenCombine(
        written,
        (result, reply) -> new Reply(reply).number(1) == 0 || result.getSyncedSlaves() > 0);
  }
}
