package dev.troupe.server.memory.search;

import java.util.List;

/**
 * What a search found.
 *
 * @param revision of the space that the hits are of: all of its changes, and none after
 * @param size how many items there were at that revision, expired ones included
 * @param hits best first
 * @param legs how each leg that was on was searched
 */
public record SearchResult(long revision, int size, List<SearchHit> hits, List<LegReport> legs) {}
