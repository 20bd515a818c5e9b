package dev.troupe.server.memory;

import com.google.protobuf.Timestamp;
import com.google.protobuf.util.Timestamps;
import dev.troupe.server.memory.search.SearchFilter;
import dev.troupe.server.memory.search.SearchFilter.TimeRange;
import dev.troupe.v1.MemoryFilter;
import dev.troupe.v1.MemoryItem;
import java.util.Collections;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.Collectors;

/** What a filter means, to the index and for one item. */
final class MemoryFilters {

  private MemoryFilters() {}

  static SearchFilter forIndex(MemoryFilter filter) {
    return new SearchFilter(
        Set.copyOf(filter.getAnyTagsList()),
        Set.copyOf(filter.getAllTagsList()),
        Set.copyOf(filter.getNoTagsList()),
        filter.getTiersList().stream().map(Enum::name).collect(Collectors.toSet()),
        Set.copyOf(filter.getSourcesList()),
        filter.getAttributesMap(),
        filter.getMinImportance(),
        range(
            filter.hasCreatedFrom(),
            filter.getCreatedFrom(),
            filter.hasCreatedBefore(),
            filter.getCreatedBefore()),
        range(
            filter.hasUpdatedFrom(),
            filter.getUpdatedFrom(),
            filter.hasUpdatedBefore(),
            filter.getUpdatedBefore()));
  }

  private static TimeRange range(
      boolean hasFrom, Timestamp from, boolean hasBefore, Timestamp before) {
    return new TimeRange(
        hasFrom ? Timestamps.toMicros(from) : Long.MIN_VALUE,
        hasBefore ? Timestamps.toMicros(before) : Long.MAX_VALUE);
  }

  /** Whether a filter means an item. */
  static boolean matches(MemoryFilter filter, MemoryItem item) {
    Set<String> tags = new HashSet<>(item.getTagsList());
    return tags.containsAll(filter.getAllTagsList())
        && Collections.disjoint(tags, filter.getNoTagsList())
        && (filter.getAnyTagsCount() == 0 || !Collections.disjoint(tags, filter.getAnyTagsList()))
        && (filter.getTiersCount() == 0 || filter.getTiersList().contains(item.getTier()))
        && (filter.getSourcesCount() == 0 || filter.getSourcesList().contains(item.getSource()))
        && item.getAttributesMap().entrySet().containsAll(filter.getAttributesMap().entrySet())
        && item.getImportance() >= filter.getMinImportance()
        && (!filter.hasCreatedFrom()
            || Timestamps.compare(item.getCreateTime(), filter.getCreatedFrom()) >= 0)
        && (!filter.hasCreatedBefore()
            || Timestamps.compare(item.getCreateTime(), filter.getCreatedBefore()) < 0)
        && (!filter.hasUpdatedFrom()
            || Timestamps.compare(item.getUpdateTime(), filter.getUpdatedFrom()) >= 0)
        && (!filter.hasUpdatedBefore()
            || Timestamps.compare(item.getUpdateTime(), filter.getUpdatedBefore()) < 0);
  }
}
