package dev.troupe.server.log;

import dev.troupe.server.redis.Partition;
import java.util.concurrent.CompletionStage;

/** The logs of all partitions, each with at most one tail in this server. */
public interface PartitionLogs {

  /** The newest position of a partition; sequence 0 when nothing happened yet. */
  CompletionStage<LogHead> head(Partition partition);

  /**
   * Opens a reader that continues after the given position. Readers of one partition share one
   * tail, which is opened with the first and closed with the last of them.
   */
  LogReader open(Partition partition, LogPosition after, long epoch);

  /**
   * The end of a log.
   *
   * @param position of the newest entry
   * @param epoch names this life of the log; another one means that Redis lost its data
   */
  record LogHead(LogPosition position, long epoch) {}
}
