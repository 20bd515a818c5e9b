package dev.troupe.server.redis;

import dev.troupe.server.error.TroupeException;
import dev.troupe.v1.ErrorReason;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/**
 * Namespaces as one hash for all servers: name to number of partitions. A name is hashed by CRC-32,
 * which every server computes alike.
 */
public final class RedisNamespaces implements Namespaces {

  private static final int MOST = 10_000;
  private static final Partition REGISTRY = new Partition("troupe", 0, 1);
  private static final Script OPEN = Script.load("redis/open_namespace");
  private static final Script LIST = Script.load("redis/list_namespaces");

  private final ScriptRunner scripts;
  private final int partitionsOfNew;
  private final ConcurrentMap<String, CompletableFuture<Integer>> counts =
      new ConcurrentHashMap<>();

  /**
   * Knows no namespace yet.
   *
   * @param partitionsOfNew how many partitions a namespace gets that is used for the first time
   */
  public RedisNamespaces(ScriptRunner scripts, int partitionsOfNew) {
    this.scripts = scripts;
    this.partitionsOfNew = partitionsOfNew;
  }

  @Override
  public CompletionStage<Partition> locate(String namespace, String name) {
    return count(namespace).thenApply(partitions -> Partition.of(namespace, partitions, name));
  }

  @Override
  public CompletionStage<List<Partition>> partitions(String namespace) {
    return count(namespace).thenApply(partitions -> all(namespace, partitions));
  }

  private static List<Partition> all(String namespace, int count) {
    List<Partition> partitions = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      partitions.add(new Partition(namespace, i, count));
    }
    return partitions;
  }

  private CompletionStage<Integer> count(String namespace) {
    CompletableFuture<Integer> known = counts.get(namespace);
    return known != null ? known : open(namespace);
  }

  private CompletionStage<Integer> open(String namespace) {
    return scripts
        .run(OPEN, REGISTRY, namespace, partitionsOfNew, MOST)
        .thenApply(
            elements -> {
              Reply reply = new Reply(elements);
              if (!reply.ok()) {
                throw TroupeException.of(
                    ErrorReason.ERROR_REASON_LIMIT_EXCEEDED,
                    "too many namespaces",
                    Map.of("limit", Integer.toString(MOST)));
              }
              int count = (int) reply.number(1);
              // Fixed for good, so that it may be kept for good.
              counts.put(namespace, CompletableFuture.completedFuture(count));
              return count;
            });
  }

  @Override
  public CompletionStage<List<String>> known() {
    return scripts
        .run(LIST, REGISTRY)
        .thenApply(
            elements -> {
              Reply reply = new Reply(elements);
              List<String> names = new ArrayList<>();
              for (int i = 1; i + 1 < reply.size(); i += 2) {
                counts.put(
                    reply.text(i), CompletableFuture.completedFuture((int) reply.number(i + 1)));
                names.add(reply.text(i));
              }
              return names;
            });
  }
}
