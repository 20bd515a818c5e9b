/** Leases on names: exclusive, shared, semaphores, several at once, waited for in order. */
@NullMarked
package dev.troupe.server.lock;

import org.jspecify.annotations.NullMarked;
