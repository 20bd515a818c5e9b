package dev.troupe.server.memory.search;

import org.jspecify.annotations.Nullable;

/**
 * An item that was found.
 *
 * @param id of the item
 * @param score what hits are ordered by, then by id; see {@link Fusion}
 * @param vector its similarity; null when that leg is off or the item has no embedding
 * @param text its BM25; null when that leg is off or no word occurs
 * @param recency how new it is; null when that leg is off
 * @param importance the item's own, in [0, 1]
 * @param importanceFactor what the sum of the legs was multiplied by
 * @param explanation in words; empty unless asked for
 */
public record SearchHit(
    String id,
    double score,
    @Nullable LegPart vector,
    @Nullable LegPart text,
    @Nullable LegPart recency,
    double importance,
    double importanceFactor,
    String explanation) {}
