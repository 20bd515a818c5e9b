package dev.troupe.server.lock;

import dev.troupe.v1.Fence;
import java.util.List;

/**
 * What a caller wants, of one partition.
 *
 * @param waitId names the wait; the same for a repeat of the request
 * @param requestId the caller's, or one of ours when it gave none and waits
 * @param forget whether nobody can come back to this wait, as the caller gave no request id
 * @param known whether the store may know of this wish already
 * @param digest tells a repeat from another request under the same id
 * @param waitMicros how long to wait; 0 asks for an answer at once
 * @param call names the call that asks: a repeat of the request is another call
 * @param agent that the leases are bound to; empty for none
 * @param session token of the agent's session
 * @param heldLeaseId of the lease that is acquired once more; empty for none
 * @param part whether it is a part of a set that lies in several partitions: until all parts are
 *     there, its leases last no longer than an unclaimed grant
 */
record Wish(
    String waitId,
    String requestId,
    boolean forget,
    boolean known,
    String digest,
    Fence fence,
    String owner,
    long ttlMicros,
    long waitMicros,
    String call,
    String agent,
    long session,
    String heldLeaseId,
    boolean part,
    List<Target> targets) {

  /** A time to wait: this call does so no longer. The wait is over unless a repeat took it. */
  static final long TIME_IS_UP = -1;

  /** Asks how it stands with this wish; see the script for what the time means. */
  Wish again(long waitMicros) {
    return new Wish(
        waitId,
        requestId,
        forget,
        true,
        digest,
        fence,
        owner,
        ttlMicros,
        waitMicros,
        call,
        agent,
        session,
        heldLeaseId,
        part,
        targets);
  }
}
