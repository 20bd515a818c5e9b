package dev.troupe.server.memory.search;

import java.util.Map;
import java.util.Set;

/** What of an item is kept beside its vector, for filters and answers. */
record StoredItem(
    String id,
    boolean hasText,
    Set<String> tags,
    String tier,
    String source,
    double importance,
    long createMicros,
    long updateMicros,
    Map<String, String> attributes) {

  static StoredItem of(IndexItem item) {
    return new StoredItem(
        item.id(),
        !item.text().isBlank(),
        item.tags(),
        item.tier().intern(),
        item.source(),
        item.importance(),
        item.createMicros(),
        item.updateMicros(),
        item.attributes());
  }
}
