package dev.troupe.server.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

/**
 * A part of a namespace whose keys share one hash tag, so that one script may change all of it.
 *
 * @param namespace a valid namespace name, never empty
 * @param index from 0 to the namespace's number of partitions, exclusive
 */
public record Partition(String namespace, int index) {

  /** What every key of this partition begins with, such as {@code troupe:{default/0}:}. */
  public String prefix() {
    return "troupe:{" + namespace + "/" + index + "}:";
  }

  /** The key of the given kind. */
  public String key(String kind) {
    return prefix() + kind;
  }

  /** The stream of everything that happened in this partition; {@code KEYS[1]} of every script. */
  public byte[] logKey() {
    return key("log").getBytes(UTF_8);
  }

  @Override
  public String toString() {
    return namespace + "/" + index;
  }
}
