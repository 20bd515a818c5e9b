package dev.troupe.server.log;

import com.google.protobuf.ByteString;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One entry of a partition's log, read once and seen by all readers. What they make of it, such as
 * the beginning of the message that carries it, can be kept with it, so that it is made once.
 *
 * <p>Equal only to itself. Thread-safe.
 */
public final class LogEntry {

  /** What the object itself and a short note take on the heap, about. */
  private static final int OVERHEAD = 400;

  private static final AtomicLong SERIALS = new AtomicLong();

  private final int partition;
  private final LogPosition position;
  private final String topic;
  private final String type;
  private final String subject;
  private final ByteString data;
  private final long topicPosition;
  private final long serial = SERIALS.incrementAndGet();
  private volatile @Nullable Object note;

  /**
   * An entry.
   *
   * @param partition index of the partition that it is in
   * @param position where it stands
   * @param topic the topic it belongs to; those that begin with "troupe." are the server's own
   * @param type what happened, such as "task.completed"
   * @param subject what it is about; for a task, its id
   * @param data an encoded {@code TaskChange}, {@code AgentChange} or {@code Event}, by topic
   * @param topicPosition its number among the events of its topic, from 1; 0 in the server's own
   */
  public LogEntry(
      int partition,
      LogPosition position,
      String topic,
      String type,
      String subject,
      ByteString data,
      long topicPosition) {
    this.partition = partition;
    this.position = position;
    this.topic = topic;
    this.type = type;
    this.subject = subject;
    this.data = data;
    this.topicPosition = topicPosition;
  }

  public int partition() {
    return partition;
  }

  public LogPosition position() {
    return position;
  }

  public String topic() {
    return topic;
  }

  public String type() {
    return type;
  }

  public String subject() {
    return subject;
  }

  public ByteString data() {
    return data;
  }

  public long topicPosition() {
    return topicPosition;
  }

  /** A number that no other object of this class has; above 0. */
  public long serial() {
    return serial;
  }

  /**
   * What was made of this entry before, or is made now. There is room for one thing of about the
   * size of topic, type and subject; two threads may both make it.
   */
  public <T> T note(Class<T> type, Function<LogEntry, T> make) {
    Object kept = note;
    if (type.isInstance(kept)) {
      return type.cast(kept);
    }
    T made = make.apply(this);
    note = made;
    return made;
  }

  /** About how many bytes of heap it takes, with its note. */
  int weight() {
    return OVERHEAD + 2 * (topic.length() + type.length() + subject.length()) + data.size();
  }

  @Override
  public String toString() {
    return topic + " " + type + " " + subject + " at " + position;
  }
}
