package dev.troupe.server.crash;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Remembers how long an append-only file was a second ago: with {@code everysec} that much is on
 * disk, and what came since is not for sure.
 */
final class WrittenBytes implements AutoCloseable {

  private static final long FSYNC_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final long EVERY_MILLIS = 20;

  private final AppendOnlyFile file;
  private final Deque<Mark> marks = new ArrayDeque<>();
  private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();

  private record Mark(long nanos, long size) {}

  WrittenBytes(AppendOnlyFile file) throws IOException {
    this.file = file;
    restarted();
    clock.scheduleAtFixedRate(this::mark, 0, EVERY_MILLIS, TimeUnit.MILLISECONDS);
  }

  private synchronized void mark() {
    try {
      marks.addLast(new Mark(System.nanoTime(), file.size()));
    } catch (IOException e) {
      // Older marks are as true as before.
      return;
    }
    // One that is older than needed has to stay, or there would be none to answer with.
    while (marks.size() > 1 && isOld(second())) {
      marks.removeFirst();
    }
  }

  private Mark second() {
    return marks.stream().skip(1).findFirst().orElseThrow();
  }

  private static boolean isOld(Mark mark) {
    return System.nanoTime() - mark.nanos > FSYNC_NANOS;
  }

  /** What Redis read when it came back is on disk. */
  synchronized void restarted() throws IOException {
    marks.clear();
    marks.addLast(new Mark(System.nanoTime(), file.size()));
  }

  /** How many bytes are on disk for sure. */
  synchronized long onDisk() {
    return marks.getFirst().size;
  }

  @Override
  public void close() {
    clock.shutdownNow();
  }
}
