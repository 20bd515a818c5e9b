package dev.troupe.server.log;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.server.log.LogReader.Page;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Reads a log at its own pace and checks page by page that what it gets and what is reported
 * missing continue what it had, each entry once and in order.
 */
final class Audit {

  private final LogReader reader;
  private final ScheduledExecutorService executor;
  private final Random random;
  private final boolean slow;
  private final CompletableFuture<Audit> done = new CompletableFuture<>();
  private long next;
  private long received;
  private long missed;
  private long until = Long.MAX_VALUE;

  /**
   * Begins to read.
   *
   * @param from sequence of the first entry to be expected
   */
  Audit(LogReader reader, long from, ScheduledExecutorService executor, long seed) {
    this.reader = reader;
    this.executor = executor;
    this.next = from;
    this.random = new Random(seed);
    this.slow = random.nextInt(3) == 0;
    read();
  }

  private void read() {
    reader.next(1 + random.nextInt(200)).whenComplete(this::got);
  }

  private void got(Page page, @Nullable Throwable failure) {
    try {
      if (failure != null) {
        throw new AssertionError("a reader never fails", failure);
      }
      take(page);
    } catch (AssertionError wrong) {
      done.completeExceptionally(wrong);
      return;
    }
    if (finished()) {
      return;
    }
    if (slow) {
      executor.schedule(this::read, random.nextInt(20), TimeUnit.MILLISECONDS);
    } else {
      executor.execute(this::read);
    }
  }

  private synchronized void take(Page page) {
    assertThat(page.epochChanged()).isFalse();
    if (page.missed() != 0) {
      assertThat(page.entries()).isEmpty();
      assertThat(page.missed()).isPositive();
      next += page.missed();
      missed += page.missed();
    }
    for (LogEntry entry : page.entries()) {
      assertThat(entry.position().sequence()).isEqualTo(next);
      assertThat(entry.data().toString(UTF_8)).startsWith("e");
      next++;
      received++;
    }
    assertThat(reader.position().sequence()).isEqualTo(next - 1);
  }

  private synchronized boolean finished() {
    if (next <= until) {
      return false;
    }
    reader.close();
    done.complete(this);
    return true;
  }

  /** Completes when everything up to a sequence was read; another entry has to follow it. */
  CompletableFuture<Audit> readUntil(long sequence) {
    synchronized (this) {
      until = sequence;
    }
    return done;
  }

  synchronized long received() {
    return received;
  }

  synchronized long missed() {
    return missed;
  }

  @Override
  public synchronized String toString() {
    return "stands before " + next + " on the way to " + until;
  }
}
