package dev.troupe.server.task;

import dev.troupe.server.redis.Partition;

/**
 * A queue and where it lives.
 *
 * @param partition the partition that its name routes to
 * @param name its name
 */
public record QueueId(Partition partition, String name) {}
