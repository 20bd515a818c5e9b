package dev.troupe.server.lock;

import dev.troupe.v1.LockLease;

/**
 * One lock that somebody wants.
 *
 * @param lease what is known of the lease before it is granted, without its id
 * @param leaseId of the lease, if it is granted
 * @param limit permits of the semaphore; 0 for a lock
 */
record Target(LockLease lease, String leaseId, int limit) {

  String name() {
    return lease.getName();
  }
}
