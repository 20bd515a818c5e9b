/**
 * Events: durable topics on the partition logs, published once and readable from any point, live
 * without a gap. The changes of tasks and agents are topics too.
 */
@NullMarked
package dev.troupe.server.event;

import org.jspecify.annotations.NullMarked;
