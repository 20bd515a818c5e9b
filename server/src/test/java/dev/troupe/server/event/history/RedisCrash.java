package dev.troupe.server.event.history;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * What Redis had written when it was killed, and how much of it was there when it came back.
 *
 * @param killedNanos before it was killed, by {@code System.nanoTime}
 * @param backNanos after it answered again
 * @param mayLose whether an answer may come before what it tells of is on disk
 * @param kept events whose transaction was still there
 * @param cut events that had been written, and were lost
 */
public record RedisCrash(
    long killedNanos, long backNanos, boolean mayLose, Set<EventName> kept, Set<EventName> cut) {

  /** Redis puts a write off for so long while it waits for the disk, and answers nevertheless. */
  private static final long PUT_OFF_NANOS = TimeUnit.SECONDS.toNanos(2);

  /** So old is what a crash may lose: what was put off, and what was written in the last second. */
  private static final long LOST_NANOS = PUT_OFF_NANOS + TimeUnit.SECONDS.toNanos(1);

  /** Collects what the file of Redis tells. */
  public static final class Remains {

    private final String namespace;
    private final Set<EventName> kept = new HashSet<>();
    private final Set<EventName> cut = new HashSet<>();

    /** Events of one namespace only. */
    Remains(String namespace) {
      this.namespace = namespace;
    }

    /** A command in the file, and whether it is there when Redis comes back. */
    public void command(List<byte[]> command, boolean isKept) {
      EventName.writtenBy(command, namespace).ifPresent((isKept ? kept : cut)::add);
    }

    /** All of it. */
    public RedisCrash crash(long killedNanos, long backNanos, boolean mayLose) {
      return new RedisCrash(killedNanos, backNanos, mayLose, Set.copyOf(kept), Set.copyOf(cut));
    }
  }

  /** Whether it can be the reason why an event is missing. */
  boolean excuses(Published.Accepted event) {
    return mayLose
        && event.triedNanos() - backNanos < 0
        && !kept.contains(event.event())
        && (cut.contains(event.event()) || killedNanos - event.answeredNanos() < PUT_OFF_NANOS);
  }

  /**
   * Whether it can have undone a delivery, or what a member was told of it: also long after it, as
   * what is settled anew, by another member, is settled for the first one too.
   */
  boolean mayUndo(long deliveredNanos, long toldNanos) {
    return mayLose && toldNanos - (killedNanos - LOST_NANOS) > 0 && deliveredNanos - backNanos < 0;
  }
}
