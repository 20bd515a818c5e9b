package dev.troupe.server.log;

import dev.troupe.server.redis.Partition;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** The logs of all partitions, each with at most one tail in this server. */
public interface PartitionLogs {

  /** The newest position of a partition; sequence 0 and epoch 0 when nothing happened yet. */
  CompletionStage<LogHead> head(Partition partition);

  /**
   * The position right before the first entry kept that was accepted at or after a time, in
   * milliseconds since 1970; 0 asks for the oldest one kept. When there is no such entry yet, the
   * position is the newest one, or that of the time itself (sequence -1) when it is yet to come.
   */
  CompletionStage<LogHead> before(Partition partition, long millis);

  /**
   * Where the log ends for whoever wants what was accepted before a time, in milliseconds since
   * 1970: known only when that time is over.
   */
  CompletionStage<Until> until(Partition partition, long millis);

  /**
   * Up to so many entries before a position, the newest first; none at the beginning of what is
   * kept. For looks back of a bounded length.
   *
   * @param older what there is from before the log begins; null for nothing
   */
  CompletionStage<List<LogEntry>> back(
      Partition partition, LogPosition before, int count, @Nullable OlderEntries older);

  /**
   * Opens a reader that continues after the given position. Readers of one partition share one
   * tail, which is opened with the first and closed with the last of them.
   *
   * @param epoch the life of the log that the position belongs to; 0 when it is not known, which
   *     leaves its replacement in the meantime to be found by the sequence alone
   */
  default LogReader open(Partition partition, LogPosition after, long epoch) {
    return open(partition, after, epoch, null);
  }

  /**
   * The same, for a reader that has more to read than the log where this begins too late for it.
   *
   * @param older belongs to the reader from now on; null for none
   */
  LogReader open(Partition partition, LogPosition after, long epoch, @Nullable OlderEntries older);

  /**
   * A position and the log it belongs to.
   *
   * @param position of the newest entry, or of the one asked for
   * @param epoch names this life of the log; another one means that Redis lost its data
   */
  record LogHead(LogPosition position, long epoch) {}

  /**
   * Where the log ends by a time.
   *
   * @param last the last position accepted before it; null while entries before it may yet come
   * @param leftMillis how long that may be
   */
  record Until(@Nullable LogPosition last, long leftMillis) {}
}
