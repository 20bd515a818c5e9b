package dev.troupe.server.memory.search;

import java.util.Map;
import java.util.Set;

/**
 * What of a memory item can be searched. Times are microseconds since the epoch by the clock of
 * Redis.
 *
 * @param id unique within the space
 * @param text what full-text search looks at; empty for none
 * @param embedding of the space's dimension, finite; empty for none. Copied, never kept
 * @param tags the item's labels
 * @param tier by name, such as "working"
 * @param source who or what it came from; empty for none
 * @param importance in [0, 1]
 * @param createMicros when it was first put
 * @param updateMicros when it was last put or changed; recency counts from here
 * @param expireMicros from when on it is never found; {@link #NEVER} for a pinned one
 * @param attributes compared for equality only
 */
public record IndexItem(
    String id,
    String text,
    float[] embedding,
    Set<String> tags,
    String tier,
    String source,
    double importance,
    long createMicros,
    long updateMicros,
    long expireMicros,
    Map<String, String> attributes) {

  /** The expiry of what does not expire. */
  public static final long NEVER = Long.MAX_VALUE;

  /**
   * Checks what would spoil the order of hits.
   *
   * @throws IllegalArgumentException if the importance is outside its range, or a number is not
   *     finite
   */
  public IndexItem {
    if (!(importance >= 0 && importance <= 1)) {
      throw new IllegalArgumentException("importance: " + importance + " (expected: 0 to 1)");
    }
    Vectors.requireFinite(embedding);
    tags = Set.copyOf(tags);
    attributes = Map.copyOf(attributes);
  }
}
