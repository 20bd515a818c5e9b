/**
 * Priority queues: leases with fencing tokens, retries, dead letters, and the stream that workers
 * hang on.
 */
@NullMarked
package dev.troupe.server.task;

import org.jspecify.annotations.NullMarked;
