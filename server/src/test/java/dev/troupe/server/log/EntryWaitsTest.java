package dev.troupe.server.log;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.troupe.server.log.LogReader.Page;
import dev.troupe.server.redis.Partition;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Who waits for an entry hears of it, or is told to look for itself; never nothing. */
final class EntryWaitsTest {

  private static final Partition PARTITION = new Partition("test", 0, 1);

  private final OpenedReaders logs = new OpenedReaders();
  private final EntryWaits waits =
      new EntryWaits(
          logs,
          entry -> {
            if (entry.subject().equals("unreadable")) {
              throw new IllegalStateException("on purpose");
            }
            return entry.subject();
          });

  @Test
  void anEntryWakesThoseWhoWaitForItAndNoOthers() {
    EntryWaits.Waiting one = waits.await(PARTITION, "one");
    EntryWaits.Waiting other = waits.await(PARTITION, "other");
    logs.last().hand(entry("one"));
    assertThat(one.woken()).isCompleted();
    assertThat(other.woken()).isNotDone();
    assertThat(logs.opened).hasSize(1);
  }

  @Test
  void anEntryThatCannotBeReadLeavesNobodyWaiting() {
    EntryWaits.Waiting waiting = waits.await(PARTITION, "one");
    logs.last().hand(entry("unreadable"));
    assertThat(waiting.woken()).isCompleted();
    assertThat(logs.last().closed).isTrue();
    waiting.leave().run();

    EntryWaits.Waiting next = waits.await(PARTITION, "one");
    assertThat(logs.opened).hasSize(2);
    logs.last().hand(entry("one"));
    assertThat(next.woken()).isCompleted();
  }

  @Test
  void aReaderWhoFailsLeavesNobodyWaiting() {
    EntryWaits.Waiting waiting = waits.await(PARTITION, "one");
    logs.last().next.completeExceptionally(new IllegalStateException("on purpose"));
    assertThat(waiting.woken()).isCompleted();
    assertThat(logs.last().closed).isTrue();
  }

  @Test
  void nothingIsReadForNobody() {
    EntryWaits.Waiting waiting = waits.await(PARTITION, "one");
    waiting.leave().run();
    assertThat(logs.last().closed).isTrue();
  }

  private static LogEntry entry(String subject) {
    return new LogEntry(
        0, new LogPosition(10, 0, 1), "topic", "type", subject, ByteString.EMPTY, 0);
  }

  /** Logs that tell what a test hands out. */
  private static final class OpenedReaders implements PartitionLogs {

    final List<HandedReader> opened = new ArrayList<>();

    HandedReader last() {
      return opened.get(opened.size() - 1);
    }

    @Override
    public CompletionStage<LogHead> head(Partition partition) {
      return CompletableFuture.completedFuture(new LogHead(new LogPosition(9, 0, 0), 1));
    }

    @Override
    public LogReader open(
        Partition partition, LogPosition after, long epoch, @Nullable OlderEntries older) {
      HandedReader reader = new HandedReader();
      opened.add(reader);
      return reader;
    }

    @Override
    public CompletionStage<LogHead> before(Partition partition, long millis) {
      throw new UnsupportedOperationException();
    }

    @Override
    public CompletionStage<Until> until(Partition partition, long millis) {
      throw new UnsupportedOperationException();
    }

    @Override
    public CompletionStage<List<LogEntry>> back(
        Partition partition, LogPosition before, int count, @Nullable OlderEntries older) {
      throw new UnsupportedOperationException();
    }
  }

  private static final class HandedReader implements LogReader {

    CompletableFuture<Page> next = new CompletableFuture<>();
    boolean closed;

    void hand(LogEntry entry) {
      CompletableFuture<Page> asked = next;
      next = new CompletableFuture<>();
      asked.complete(Page.of(List.of(entry), true));
    }

    @Override
    public CompletionStage<Page> next(int max, long bytes) {
      return next;
    }

    @Override
    public LogPosition position() {
      return LogPosition.BEGINNING;
    }

    @Override
    public long epoch() {
      return 1;
    }

    @Override
    public void close() {
      closed = true;
    }
  }
}
