package dev.troupe.server.lock;

import dev.troupe.server.error.TroupeException;
import dev.troupe.v1.LockLease;
import dev.troupe.v1.Refusal;
import java.util.List;

/** What became of one change. */
sealed interface LockAnswer {

  /** The leases, in the order of the targets. */
  record Granted(List<LockLease> leases) implements LockAnswer {}

  /**
   * It is waited for.
   *
   * @param number of the wait; the log names it when the wait ends
   * @param entangled whether the owner holds or waits for other locks in this partition
   */
  record Waiting(long number, int ahead, boolean entangled) implements LockAnswer {}

  /**
   * It cannot be had.
   *
   * @param owner who holds it, or one of them; empty when nobody does any more
   * @param dueMicros when that lease runs out, microseconds since 1970
   */
  record Refused(Refusal why, String name, String owner, long dueMicros, int ahead)
      implements LockAnswer {}

  /** It was given back, or was gone already. */
  record Released(boolean released, int holdsLeft) implements LockAnswer {}

  /** It lasts longer. */
  record Renewed(long dueMicros) implements LockAnswer {}

  /** The set that this was a part of was answered before. */
  record SetOver(LockAnswer answer) implements LockAnswer {}

  /**
   * The caller's place is remembered, or forgotten.
   *
   * @param leases how many of its leases are given back, or wait for a repeat
   */
  record Detached(int leases) implements LockAnswer {}

  /** Nothing was changed. */
  record Denied(TroupeException why) implements LockAnswer {}
}
