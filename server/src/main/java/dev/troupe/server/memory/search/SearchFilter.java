package dev.troupe.server.memory.search;

import java.util.Map;
import java.util.Set;

/**
 * What an item has to be to be found at all. Each part that is empty lets everything through; the
 * others must all hold.
 *
 * @param tagsAny at least one of these tags
 * @param tagsAll every one of these
 * @param tagsNone none of these
 * @param tiers one of these
 * @param sources one of these
 * @param attributes each with this value
 * @param minImportance at least this; 0 for any
 * @param created when it was first put
 * @param updated when it was last changed
 */
public record SearchFilter(
    Set<String> tagsAny,
    Set<String> tagsAll,
    Set<String> tagsNone,
    Set<String> tiers,
    Set<String> sources,
    Map<String, String> attributes,
    double minImportance,
    TimeRange created,
    TimeRange updated) {

  /** Lets everything through. */
  public static final SearchFilter ALL =
      new SearchFilter(
          Set.of(),
          Set.of(),
          Set.of(),
          Set.of(),
          Set.of(),
          Map.of(),
          0,
          TimeRange.ALWAYS,
          TimeRange.ALWAYS);

  /** Copies the collections. */
  public SearchFilter {
    tagsAny = Set.copyOf(tagsAny);
    tagsAll = Set.copyOf(tagsAll);
    tagsNone = Set.copyOf(tagsNone);
    tiers = Set.copyOf(tiers);
    sources = Set.copyOf(sources);
    attributes = Map.copyOf(attributes);
  }

  /** From the first microsecond on, and before the last. */
  public record TimeRange(long fromMicros, long beforeMicros) {

    /** Every time. */
    public static final TimeRange ALWAYS = new TimeRange(Long.MIN_VALUE, Long.MAX_VALUE);

    boolean contains(long micros) {
      return micros >= fromMicros && micros < beforeMicros;
    }
  }

  /** Whether anything is asked for. */
  boolean isEmpty() {
    return equals(ALL);
  }

  boolean matches(StoredItem item) {
    return (tagsAny.isEmpty() || tagsAny.stream().anyMatch(item.tags()::contains))
        && item.tags().containsAll(tagsAll)
        && (tagsNone.isEmpty() || tagsNone.stream().noneMatch(item.tags()::contains))
        && (tiers.isEmpty() || tiers.contains(item.tier()))
        && (sources.isEmpty() || sources.contains(item.source()))
        && item.attributes().entrySet().containsAll(attributes.entrySet())
        && item.importance() >= minImportance
        && created.contains(item.createMicros())
        && updated.contains(item.updateMicros());
  }

  /** With other tags of which one is needed. */
  public SearchFilter withTagsAny(Set<String> tags) {
    return new SearchFilter(
        tags, tagsAll, tagsNone, tiers, sources, attributes, minImportance, created, updated);
  }

  /** With other tags that are all needed. */
  public SearchFilter withTagsAll(Set<String> tags) {
    return new SearchFilter(
        tagsAny, tags, tagsNone, tiers, sources, attributes, minImportance, created, updated);
  }

  /** With other tags that must be missing. */
  public SearchFilter withTagsNone(Set<String> tags) {
    return new SearchFilter(
        tagsAny, tagsAll, tags, tiers, sources, attributes, minImportance, created, updated);
  }

  /** With other tiers. */
  public SearchFilter withTiers(Set<String> names) {
    return new SearchFilter(
        tagsAny, tagsAll, tagsNone, names, sources, attributes, minImportance, created, updated);
  }

  /** With other sources. */
  public SearchFilter withSources(Set<String> names) {
    return new SearchFilter(
        tagsAny, tagsAll, tagsNone, tiers, names, attributes, minImportance, created, updated);
  }

  /** With other attributes. */
  public SearchFilter withAttributes(Map<String, String> values) {
    return new SearchFilter(
        tagsAny, tagsAll, tagsNone, tiers, sources, values, minImportance, created, updated);
  }

  /** With another least importance. */
  public SearchFilter withMinImportance(double importance) {
    return new SearchFilter(
        tagsAny, tagsAll, tagsNone, tiers, sources, attributes, importance, created, updated);
  }

  /** With another time of the first put. */
  public SearchFilter withCreated(TimeRange range) {
    return new SearchFilter(
        tagsAny, tagsAll, tagsNone, tiers, sources, attributes, minImportance, range, updated);
  }

  /** With another time of the last change. */
  public SearchFilter withUpdated(TimeRange range) {
    return new SearchFilter(
        tagsAny, tagsAll, tagsNone, tiers, sources, attributes, minImportance, created, range);
  }
}
