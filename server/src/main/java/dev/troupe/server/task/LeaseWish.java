package dev.troupe.server.task;

/**
 * What one worker asks for.
 *
 * @param worker its id
 * @param epoch of its stream; 0 for a call without one
 * @param wanted how many tasks, at least 1
 */
public record LeaseWish(String worker, long epoch, int wanted) {}
