package dev.troupe.server.memory.search;

/** One change of a space, as its log tells it. */
public sealed interface IndexChange {

  /** Puts an item, in place of the one with its id if there is one. */
  record Upsert(IndexItem item) implements IndexChange {}

  /** Takes an item away; nothing happens when there is none. */
  record Remove(String id) implements IndexChange {}

  /** Gives an item another expiry, which costs far less than an upsert. */
  record Touch(String id, long expireMicros) implements IndexChange {}

  /** Takes all items away. */
  record Clear() implements IndexChange {}
}
