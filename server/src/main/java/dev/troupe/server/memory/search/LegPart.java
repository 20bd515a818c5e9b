package dev.troupe.server.memory.search;

/**
 * What one leg says of a hit.
 *
 * @param score as the leg measures it: similarity, BM25 or recency
 * @param rank among what the leg named, from 1; 0 when it did not name the item
 * @param contribution to the score of the hit, before importance
 */
public record LegPart(double score, int rank, double contribution) {}
