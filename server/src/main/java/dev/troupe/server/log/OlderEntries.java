package dev.troupe.server.log;

import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Some of the entries of one log, kept longer than the log keeps them: what a reader reads where
 * the log has no more. Belongs to one reader and is asked one question at a time. A question that
 * fails has changed nothing and may be asked again.
 */
public interface OlderEntries {

  /**
   * The next entries after a position that are from before the log begins.
   *
   * @param most how many at most
   * @param bytes about how many bytes, but at least one entry
   */
  CompletionStage<Older> after(LogPosition position, int most, long bytes);

  /** Entries before a position, the newest first, at most so many; none at the beginning. */
  CompletionStage<List<LogEntry>> before(LogPosition position, int most);

  /**
   * What is there, seen at one moment.
   *
   * @param entries in the order of the log; none when the log itself goes on
   * @param lost up to where some that were asked for are not kept anywhere, told once; else null
   * @param logBegins the place right before the log's first entry; its end when it has none
   * @param epoch the life of the log
   */
  record Older(
      List<LogEntry> entries, @Nullable LogPosition lost, LogPosition logBegins, long epoch) {}
}
