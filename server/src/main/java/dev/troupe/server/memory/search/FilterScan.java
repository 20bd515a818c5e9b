package dev.troupe.server.memory.search;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.Function;

/**
 * A filter made ready to run over columns. It lets through all that matches and a little more;
 * {@link #accepts} decides, and is asked only of what would be among the hits.
 */
final class FilterScan {

  /** No filter at all. */
  static final FilterScan EVERYTHING = new FilterScan(SearchFilter.ALL);

  private final SearchFilter filter;
  private final boolean everything;
  private final Signature all;
  private final List<List<Signature>> anyOf = new ArrayList<>();

  FilterScan(SearchFilter filter) {
    this.filter = filter;
    everything = filter.isEmpty();
    Signature needed = Signature.NONE;
    for (String tag : filter.tagsAll()) {
      needed = needed.and(Signature.tag(tag));
    }
    for (var attribute : filter.attributes().entrySet()) {
      needed = needed.and(Signature.attribute(attribute.getKey(), attribute.getValue()));
    }
    needed = needed.and(oneOf(filter.tagsAny(), Signature::tag));
    needed = needed.and(oneOf(filter.tiers(), Signature::tier));
    all = needed.and(oneOf(filter.sources(), Signature::source));
  }

  /** The signature of the only name, or none when there are several, which are kept for later. */
  private Signature oneOf(Collection<String> names, Function<String, Signature> signature) {
    if (names.size() == 1) {
      return signature.apply(names.iterator().next());
    }
    if (!names.isEmpty()) {
      anyOf.add(names.stream().map(signature).toList());
    }
    return Signature.NONE;
  }

  /** Whether there is no filter at all. */
  boolean isEverything() {
    return everything;
  }

  /** Whether a version that is visible matches. */
  boolean accepts(StoredItem item) {
    return everything || filter.matches(item);
  }

  /** How many vectors may match, dead ones included. */
  int count(Snapshot snapshot) {
    if (everything) {
      return snapshot.embedded();
    }
    int[] places = new int[Chunk.SIZE];
    int count = 0;
    for (Chunk chunk : snapshot.chunks()) {
      count += chunk.dimension == 0 ? 0 : select(chunk, 0, chunk.used, places);
    }
    return count;
  }

  /**
   * Writes down which places of a chunk, from one to before another, may match.
   *
   * @return how many
   */
  int select(Chunk chunk, int from, int to, int[] places) {
    int count = 0;
    long low = all.low();
    long high = all.high();
    for (int at = from; at < to; at++) {
      places[count] = at;
      // One comparison for both halves: what is missing of either.
      long missing = (low & ~chunk.signaturesLow[at]) | (high & ~chunk.signaturesHigh[at]);
      count += missing == 0 ? 1 : 0;
    }
    return narrow(chunk, places, count);
  }

  private int narrow(Chunk chunk, int[] places, int count) {
    int left = count;
    for (List<Signature> signatures : anyOf) {
      int kept = 0;
      for (int i = 0; i < left; i++) {
        if (hasAny(chunk, places[i], signatures)) {
          places[kept++] = places[i];
        }
      }
      left = kept;
    }
    int kept = 0;
    for (int i = 0; i < left; i++) {
      int at = places[i];
      if (chunk.importance[at] >= filter.minImportance()
          && filter.created().contains(chunk.created[at])
          && filter.updated().contains(chunk.updated[at])) {
        places[kept++] = at;
      }
    }
    return kept;
  }

  private static boolean hasAny(Chunk chunk, int at, List<Signature> signatures) {
    for (Signature signature : signatures) {
      if ((chunk.signaturesLow[at] & signature.low()) == signature.low()
          && (chunk.signaturesHigh[at] & signature.high()) == signature.high()) {
        return true;
      }
    }
    return false;
  }
}
