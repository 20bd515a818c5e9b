package dev.troupe.server.event;

import dev.troupe.server.redis.Partition;

/** Names a consumer group, with the partition of its topic, in which it lives. */
record GroupId(Partition partition, String topic, String name) {}
