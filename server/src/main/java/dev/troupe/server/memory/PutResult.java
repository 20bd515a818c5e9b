package dev.troupe.server.memory;

import dev.troupe.server.error.TroupeException;

/** What became of an item that was put. */
sealed interface PutResult {

  /** The space did not have its content. */
  record Added(String id, ItemRecord said) implements PutResult {}

  /** It was merged into the item that has its content. */
  record Merged(String id, ItemRecord said) implements PutResult {}

  /** Nothing was changed. */
  record Refused(TroupeException why) implements PutResult {}
}
