package dev.troupe.server.grpc;

import dev.troupe.server.log.LogEntry;
import dev.troupe.server.log.LogPosition;
import dev.troupe.v1.ErrorReason;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * How a stream of log entries looks to its caller. Where null is allowed, the stream has no such
 * message. Each stream calls it from one thread at a time; streams that look the same may share
 * one.
 *
 * @param <T> the message
 */
public interface StreamFormat<T> {

  /** Messages are no larger than this and one entry more. */
  int MESSAGE_BYTES = 64 << 10;

  /** Whether the caller wants the entry. */
  boolean wants(LogEntry entry);

  /** How many entries one message may carry. */
  int batchSize();

  /** A message with entries. */
  T entries(Batch batch);

  /**
   * The first message from a part of a page.
   *
   * @param tokenAt the resume token for a position of the part's partition
   */
  default Portion<T> portion(Slice slice, Function<LogPosition, String> tokenAt) {
    List<LogEntry> wanted = new ArrayList<>();
    int next = slice.from();
    int bytes = 0;
    while (next < slice.page().size() && wanted.size() < slice.most() && bytes < MESSAGE_BYTES) {
      LogEntry entry = slice.page().get(next++);
      if (slice.keep().test(entry) && wants(entry)) {
        wanted.add(entry);
        bytes += entry.data().size();
      }
    }
    LogPosition last = slice.page().get(next - 1).position();
    if (wanted.isEmpty()) {
      return new Portion<>(null, next, 0);
    }
    long read = Math.max(slice.told(), last.sequence());
    Batch batch = new Batch(slice.partition(), wanted, slice.told(), read, tokenAt.apply(last));
    return new Portion<>(entries(batch), next, wanted.size());
  }

  /** The first message: the stream is in place. */
  @Nullable T started(String resumeToken);

  /** History is read to its end; said once, and again after each time that it fell behind. */
  @Nullable T caughtUp(String resumeToken);

  /**
   * Nothing was sent for a while.
   *
   * @param lag entries of the log that are still to be read
   */
  @Nullable T checkpoint(long lag, String resumeToken);

  /** The caller did not keep up, and reads history again. */
  @Nullable T fellBehind(long lag, String resumeToken);

  /** Entries are missing. */
  @Nullable T gap(Hole hole, String resumeToken);

  /** The last message before the stream ends with an error. */
  @Nullable T goAway(ErrorReason reason, Duration retryAfter, String resumeToken);

  /**
   * A part of a page: what is still to be sent of it.
   *
   * @param partition index of the partition that it comes from
   * @param epoch the life of the log that it comes from
   * @param page never empty; readers in step have the same list
   * @param from where in the page to go on
   * @param most entries that a message may carry now
   * @param told up to which sequence the caller was told that this partition is read
   * @param keep what may be sent at all
   */
  record Slice(
      int partition,
      long epoch,
      List<LogEntry> page,
      int from,
      int most,
      long told,
      Predicate<LogEntry> keep) {}

  /**
   * What became of the first entries of a slice.
   *
   * @param message null when the caller wants none of them
   * @param next the first entry of the page that was not looked at; above the slice's first
   * @param count how many entries the message has
   */
  record Portion<T>(@Nullable T message, int next, int count) {}

  /**
   * What a message is made of.
   *
   * @param partition index of the partition that the entries come from
   * @param entries that the caller wants, in order, never none
   * @param previous up to which sequence the caller was told that this partition is read
   * @param read up to which it is read now
   * @param resumeToken resumes after the last of them
   */
  record Batch(
      int partition, List<LogEntry> entries, long previous, long read, String resumeToken) {}

  /** Why entries are missing. */
  enum Lack {
    /** They are no longer kept. */
    TRIMMED,
    /** The log is another one now. */
    REPLACED,
    /** The caller did not keep up, and wanted it so. */
    SLOW
  }

  /**
   * Entries that are missing.
   *
   * @param missed how many; 0 when unknown
   * @param from the last sequence read before
   * @param to the last sequence that is missing
   */
  record Hole(Lack lack, int partition, long missed, long from, long to) {}
}
