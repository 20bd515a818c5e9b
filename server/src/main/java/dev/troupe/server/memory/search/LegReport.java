package dev.troupe.server.memory.search;

/**
 * How one leg was searched.
 *
 * @param method such as "exact int8", "hnsw" or "bm25"
 * @param candidates how many items it named
 * @param nanos how long it took
 */
public record LegReport(Leg leg, String method, int candidates, long nanos) {

  /** What can be searched by. */
  public enum Leg {
    /** Likeness of embeddings. */
    VECTOR,
    /** Words in common. */
    TEXT,
    /** How new an item is. */
    RECENCY
  }
}
