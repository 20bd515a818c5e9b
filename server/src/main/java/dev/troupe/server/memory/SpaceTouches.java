package dev.troupe.server.memory;

import com.google.protobuf.util.Timestamps;
import dev.troupe.server.log.LogEntry;
import dev.troupe.server.memory.search.IndexChange;
import dev.troupe.server.redis.Partition;
import dev.troupe.v1.MemoryChange;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;

/** What some entries of the log say about one space: which items are to be read anew. */
final class SpaceTouches {

  private static final int AT_ONCE = 256;

  private final String name;
  private final Set<String> changed = new LinkedHashSet<>();
  private final Set<String> gone = new LinkedHashSet<>();
  private final Map<String, Long> refreshed = new HashMap<>();

  private SpaceTouches(String name) {
    this.name = name;
  }

  /** By the names of the spaces. Conversations are not searched. */
  static Map<String, SpaceTouches> of(List<LogEntry> entries) {
    Map<String, SpaceTouches> touched = new LinkedHashMap<>();
    for (LogEntry entry : entries) {
      if (entry.topic().equals(MemoryWatching.TOPIC)) {
        MemoryChange change = MemoryWatching.change(entry);
        switch (change.getKind()) {
          case MEMORY_CHANGE_KIND_EXPIRING,
              MEMORY_CHANGE_KIND_TURNS_APPENDED,
              MEMORY_CHANGE_KIND_SUMMARY_SET,
              MEMORY_CHANGE_KIND_CONVERSATION_DELETED -> {}
          default -> touched.computeIfAbsent(change.getSpace(), SpaceTouches::new).add(change);
        }
      }
    }
    return touched;
  }

  private void add(MemoryChange change) {
    List<String> ids = change.getItemIdsList();
    switch (change.getKind()) {
      case MEMORY_CHANGE_KIND_FORGOTTEN, MEMORY_CHANGE_KIND_EXPIRED, MEMORY_CHANGE_KIND_EVICTED -> {
        gone.addAll(ids);
        ids.forEach(changed::remove);
      }
      case MEMORY_CHANGE_KIND_REFRESHED ->
          ids.forEach(id -> refreshed.put(id, Timestamps.toMicros(change.getExpireTime())));
      default -> changed.addAll(ids);
    }
  }

  String name() {
    return name;
  }

  /** How much there is to do, about; at least 1. */
  int size() {
    return Math.max(1, changed.size() + gone.size() + refreshed.size());
  }

  /** Reads the space, and those of its items that changed; empty when there is no such space. */
  CompletionStage<Optional<IndexReads.Some>> read(Partition partition, IndexReads reads) {
    List<String> ids = List.copyOf(changed);
    CompletionStage<Optional<IndexReads.Some>> all =
        reads.items(partition, name, ids.subList(0, Math.min(AT_ONCE, ids.size())));
    for (int from = AT_ONCE; from < ids.size(); from += AT_ONCE) {
      List<String> some = ids.subList(from, Math.min(ids.size(), from + AT_ONCE));
      all = all.thenCombine(reads.items(partition, name, some), IndexReads::together);
    }
    return all;
  }

  /** What the index has to do, given what was read. */
  List<IndexChange> changes(IndexReads.Some found) {
    Set<String> missing = new LinkedHashSet<>(changed);
    List<IndexChange> changes = new ArrayList<>();
    refreshed.forEach((id, ends) -> changes.add(new IndexChange.Touch(id, ends)));
    for (IndexReads.Row row : found.rows()) {
      missing.remove(row.id());
      changes.add(new IndexChange.Upsert(IndexedSpace.item(row)));
    }
    missing.forEach(id -> changes.add(new IndexChange.Remove(id)));
    gone.forEach(id -> changes.add(new IndexChange.Remove(id)));
    return changes;
  }
}
