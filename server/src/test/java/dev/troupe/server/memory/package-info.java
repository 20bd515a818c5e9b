/** Tests of the memorys: the contract on one Redis and on a Cluster, and histories under faults. */
@NullMarked
package dev.troupe.server.memory;

import org.jspecify.annotations.NullMarked;
