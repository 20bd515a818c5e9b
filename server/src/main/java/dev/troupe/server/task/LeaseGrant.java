package dev.troupe.server.task;

import dev.troupe.v1.LeasedTask;
import java.util.List;
import java.util.Set;

/**
 * What a round of leasing gave.
 *
 * @param tasks per wish, in the order of the wishes
 * @param replaced indexes of the wishes whose stream is no longer the worker's newest
 */
public record LeaseGrant(List<List<LeasedTask>> tasks, Set<Integer> replaced) {}
