/** Tests of the locks: the contract on one Redis and on a Cluster, and histories under faults. */
@NullMarked
package dev.troupe.server.lock;

import org.jspecify.annotations.NullMarked;
