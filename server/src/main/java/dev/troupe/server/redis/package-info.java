/**
 * Redis: the embedded process or the connection to yours, partitions, and scripts run by SHA.
 *
 * <p>This kernel and the stores are the only ones that know Redisson.
 */
@NullMarked
package dev.troupe.server.redis;

import org.jspecify.annotations.NullMarked;
