package dev.troupe.server.grpc;

import dev.troupe.server.log.LogEntry;
import dev.troupe.v1.ErrorReason;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How a stream of log entries looks to its caller. Called by one thread at a time. Where null is
 * allowed, the stream has no such message.
 *
 * @param <T> the message
 */
public interface StreamFormat<T> {

  /** Whether the caller wants the entry. */
  boolean wants(LogEntry entry);

  /** How many entries one message may carry. */
  int batchSize();

  /** A message with entries, in order, never none. */
  T entries(List<Delivery> deliveries);

  /** The first message: the stream is in place. */
  @Nullable T started(String resumeToken);

  /** History is read to its end; said once. */
  @Nullable T caughtUp(String resumeToken);

  /** Nothing was sent for a while. */
  @Nullable T checkpoint(String resumeToken);

  /**
   * Entries are missing.
   *
   * @param replaced whether the log is another one now
   * @param missed how many; 0 when unknown
   */
  @Nullable T gap(boolean replaced, long missed, String resumeToken);

  /** The last message before the stream ends with an error. */
  @Nullable T goAway(ErrorReason reason, Duration retryAfter, String resumeToken);

  /**
   * An entry that the caller wants.
   *
   * @param partition index of the partition that it comes from
   * @param resumeToken resumes after it
   */
  record Delivery(int partition, LogEntry entry, String resumeToken) {}
}
