/**
 * The search index of one memory space, in the memory of this server: vectors, text, filters and
 * recency. Knows neither Redis nor gRPC; who follows the log of a space writes into {@link
 * dev.troupe.server.memory.search.SpaceIndex} what it reads there.
 */
@NullMarked
package dev.troupe.server.memory.search;

import org.jspecify.annotations.NullMarked;
