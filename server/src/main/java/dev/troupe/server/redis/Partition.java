package dev.troupe.server.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.zip.CRC32;

/**
 * A part of a namespace whose keys share one hash tag, so that one script may change all of it.
 *
 * @param namespace a valid namespace name, never empty
 * @param index from 0 to the namespace's number of partitions, exclusive
 * @param of how many partitions the namespace has
 */
public record Partition(String namespace, int index, int of) {

  /** The one of a namespace's partitions that a name (queue, agent id, lock ...) belongs to. */
  public static Partition of(String namespace, int partitions, String name) {
    return new Partition(namespace, hash(name, partitions), partitions);
  }

  private static int hash(String name, int partitions) {
    if (partitions == 1) {
      return 0;
    }
    CRC32 crc = new CRC32();
    crc.update(name.getBytes(UTF_8));
    return (int) (crc.getValue() % partitions);
  }

  /** Whether a name belongs here. */
  public boolean isHomeOf(String name) {
    return hash(name, of) == index;
  }

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
