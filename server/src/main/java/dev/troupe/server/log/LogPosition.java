package dev.troupe.server.log;

/**
 * A place in a partition's log.
 *
 * @param millis time of acceptance by the clock of Redis, milliseconds since 1970; with {@code
 *     order} it is the stream id
 * @param order counts within the millisecond
 * @param sequence dense number of the entry within the partition, from 1; a jump is a gap. A
 *     position that was made from a time or for the beginning has -1: unknown
 *     <p>Compared by place alone; the sequence only proves that two logs are the same.
 */
public record LogPosition(long millis, long order, long sequence)
    implements Comparable<LogPosition> {

  /** Counters within a millisecond do not get near it, and it fits into a token. */
  static final long LAST_OF_MILLISECOND = 0xFFFFFFFFL;

  /** Before the first entry. */
  public static final LogPosition BEGINNING = new LogPosition(0, 0, -1);

  /** The place right before the first id of a millisecond; the beginning for 0 and less. */
  public static LogPosition startOf(long millis) {
    return millis <= 0 ? BEGINNING : new LogPosition(millis - 1, LAST_OF_MILLISECOND, -1);
  }

  /** The place of a stream id as Redis writes it. */
  public static LogPosition parse(String id, long sequence) {
    int dash = id.indexOf('-');
    return new LogPosition(
        Long.parseLong(id.substring(0, dash)), Long.parseLong(id.substring(dash + 1)), sequence);
  }

  /** The stream id, as Redis writes it. */
  public String id() {
    return millis + "-" + order;
  }

  /** The place right before this one, which belongs to the entry before. */
  public LogPosition before() {
    return order > 0
        ? new LogPosition(millis, order - 1, sequence - 1)
        : new LogPosition(millis - 1, LAST_OF_MILLISECOND, sequence - 1);
  }

  /** The same place for whoever wants what there is after it, and need not hear what is not. */
  public LogPosition withoutSequence() {
    return withSequence(-1);
  }

  /** The same place, under another sequence. */
  LogPosition withSequence(long other) {
    return new LogPosition(millis, order, other);
  }

  /** Whether the sequence is known. */
  public boolean isExact() {
    return sequence >= 0;
  }

  @Override
  public int compareTo(LogPosition other) {
    int byTime = Long.compare(millis, other.millis);
    return byTime != 0 ? byTime : Long.compare(order, other.order);
  }
}
