package dev.troupe.server.lock;

import dev.troupe.server.redis.Partition;

/**
 * That one owner waits for another.
 *
 * @param waitId the wait, and its number
 * @param lock what it waits for
 * @param blocker who holds it, or waits for it before
 */
record Blocking(
    Partition partition, String owner, String waitId, long number, String lock, String blocker) {}
