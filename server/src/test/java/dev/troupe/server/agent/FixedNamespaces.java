package dev.troupe.server.agent;

import dev.troupe.server.redis.Namespaces;
import dev.troupe.server.redis.Partition;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

/**
 * One namespace with four partitions, in which an agent's id names its partition; hosts live in the
 * last one.
 */
final class FixedNamespaces implements Namespaces {

  final AtomicInteger located = new AtomicInteger();

  static Partition partition(int index) {
    return new Partition("t", index, 4);
  }

  @Override
  public CompletionStage<Partition> locate(String namespace, String name) {
    located.incrementAndGet();
    return CompletableFuture.completedFuture(
        partition(name.startsWith("host/") ? 3 : Integer.parseInt(name)));
  }

  @Override
  public CompletionStage<List<Partition>> partitions(String namespace) {
    return CompletableFuture.completedFuture(
        IntStream.range(0, 4).mapToObj(FixedNamespaces::partition).toList());
  }

  @Override
  public CompletionStage<List<String>> known() {
    return CompletableFuture.completedFuture(List.of("t"));
  }
}
