package dev.troupe.server.log;

/**
 * A place in a partition's log.
 *
 * @param millis time of acceptance by the clock of Redis, milliseconds since 1970; with {@code
 *     order} it is the stream id
 * @param order counts within the millisecond
 * @param sequence dense number of the entry within the partition, from 1; a jump is a gap. A
 *     position that was made from a time or for the beginning has -1: unknown
 */
public record LogPosition(long millis, long order, long sequence)
    implements Comparable<LogPosition> {

  /** Before the first entry. */
  public static final LogPosition BEGINNING = new LogPosition(0, 0, -1);

  /** The stream id, as Redis writes it. */
  public String id() {
    return millis + "-" + order;
  }

  @Override
  public int compareTo(LogPosition other) {
    int byTime = Long.compare(millis, other.millis);
    return byTime != 0 ? byTime : Long.compare(order, other.order);
  }
}
