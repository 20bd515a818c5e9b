package dev.troupe.server.memory.search;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Who reads, from which sequence number on, so that the writer knows which dead versions nobody can
 * see any more. Neither side ever waits.
 */
final class Readers {

  private static final long FREE = Long.MAX_VALUE;

  /** A place for one reader at a time. Places are added when all are taken, and never removed. */
  static final class Place {
    private final AtomicLong since = new AtomicLong(FREE);
    private final @Nullable Place next;

    private Place(@Nullable Place next) {
      this.next = next;
    }

    /** The reader is done. */
    void leave() {
      since.set(FREE);
    }
  }

  private final AtomicReference<@Nullable Place> places = new AtomicReference<>();

  /**
   * Takes a place. The caller then reads the current sequence number anew: what died before the
   * writer saw the place is dead at that number too.
   *
   * @param sequence not after the current one
   */
  Place enter(long sequence) {
    for (Place place = places.get(); place != null; place = place.next) {
      if (place.since.get() == FREE && place.since.compareAndSet(FREE, sequence)) {
        return place;
      }
    }
    while (true) {
      Place first = places.get();
      Place place = new Place(first);
      place.since.set(sequence);
      if (places.compareAndSet(first, place)) {
        return place;
      }
    }
  }

  /** What died at or before this number nobody sees; the largest number when nobody reads. */
  long oldest() {
    long oldest = FREE;
    for (Place place = places.get(); place != null; place = place.next) {
      oldest = Math.min(oldest, place.since.get());
    }
    return oldest;
  }
}
