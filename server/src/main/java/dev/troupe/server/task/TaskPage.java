package dev.troupe.server.task;

import dev.troupe.v1.Task;
import java.util.List;

/**
 * A part of a listing.
 *
 * @param tasks in order
 * @param place where to go on; empty at the end
 */
public record TaskPage(List<Task> tasks, String place) {}
