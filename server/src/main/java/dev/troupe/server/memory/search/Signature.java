package dev.troupe.server.memory.search;

import java.util.Map;

/**
 * 128 bits in which each tag, tier, source and attribute of an item sets four. What an item lacks
 * is seen at a glance in nearly all cases, without going to the item; what it seems to have is
 * looked up.
 *
 * @param low the first half
 * @param high the second half
 */
record Signature(long low, long high) {

  static final Signature NONE = new Signature(0, 0);

  static Signature of(StoredItem item) {
    Signature all = tier(item.tier()).and(source(item.source()));
    for (String tag : item.tags()) {
      all = all.and(tag(tag));
    }
    for (Map.Entry<String, String> attribute : item.attributes().entrySet()) {
      all = all.and(attribute(attribute.getKey(), attribute.getValue()));
    }
    return all;
  }

  static Signature tag(String tag) {
    return of(1, tag.hashCode());
  }

  static Signature tier(String tier) {
    return of(2, tier.hashCode());
  }

  static Signature source(String source) {
    return of(3, source.hashCode());
  }

  static Signature attribute(String name, String value) {
    return of(4 + 31L * name.hashCode(), value.hashCode());
  }

  /** What has the bits of both. */
  Signature and(Signature other) {
    return new Signature(low | other.low, high | other.high);
  }

  private static Signature of(long kind, long hash) {
    long mixed = mix(mix(kind) + hash);
    long low = 1L << mixed | 1L << (mixed >>> 6);
    long high = 1L << (mixed >>> 12) | 1L << (mixed >>> 18);
    return new Signature(low, high);
  }

  /** The finaliser of SplitMix64: every bit of the input changes half of the output. */
  private static long mix(long value) {
    long z = value + 0x9e3779b97f4a7c15L;
    z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }
}
