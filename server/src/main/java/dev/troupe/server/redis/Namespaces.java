package dev.troupe.server.redis;

import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * Which partitions a namespace has. The number is fixed when the namespace is first used and kept
 * in Redis, so that every server routes alike.
 */
public interface Namespaces {

  /** The partition that a name (queue, topic, agent id, lock …) belongs to. */
  CompletionStage<Partition> locate(String namespace, String name);

  /** All partitions of a namespace, in order. */
  CompletionStage<List<Partition>> partitions(String namespace);

  /** The namespaces known to this server or to Redis, for periodic work. */
  CompletionStage<List<String>> known();
}
