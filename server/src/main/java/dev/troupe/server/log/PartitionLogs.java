package dev.troupe.server.log;

import dev.troupe.server.redis.Partition;
import java.util.concurrent.CompletionStage;

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
   * Opens a reader that continues after the given position. Readers of one partition share one
   * tail, which is opened with the first and closed with the last of them.
   *
   * @param epoch the life of the log that the position belongs to; 0 when it is not known, which
   *     leaves its replacement in the meantime to be found by the sequence alone
   */
  LogReader open(Partition partition, LogPosition after, long epoch);

  /**
   * A position and the log it belongs to.
   *
   * @param position of the newest entry, or of the one asked for
   * @param epoch names this life of the log; another one means that Redis lost its data
   */
  record LogHead(LogPosition position, long epoch) {}
}
