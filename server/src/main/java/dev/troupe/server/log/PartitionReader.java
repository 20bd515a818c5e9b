package dev.troupe.server.log;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.troupe.server.log.LogStore.Sight;
import dev.troupe.server.log.OlderEntries.Older;
import dev.troupe.server.log.PartitionTail.Attempt;
import dev.troupe.server.log.PartitionTail.Cursor;
import dev.troupe.server.redis.Partition;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A cursor that reads from the tail's ring where it can and from Redis where it must.
 *
 * <p>The ring is trusted only for a position that it holds with the same sequence, and once it was
 * compared with Redis after the reader came, or was told that the log was replaced. Any other
 * position is first checked with Redis: that is where a replaced log, a lost end and trimmed
 * entries come to light. So the switch from history to live depends on positions alone, not on
 * timing. Where the log begins behind the cursor, or may, older entries are asked for first; the
 * reader goes on in the log when there are none, at the place where it began at that moment.
 *
 * <p>At most one step is under way at a time, and it belongs to the open call of {@link #next}; the
 * lock only keeps {@link #close} from cutting a step in half.
 */
final class PartitionReader implements LogReader {

  private static final int MOST_PER_PAGE = 500;
  private static final long PAGE_BYTES = 1 << 20;

  private final Partition partition;
  private final PartitionTail tail;
  private final LogStore store;
  private final @Nullable OlderEntries older;
  private final CatchUpGate gate;
  private final ScheduledExecutorService executor;
  private final PageSize pageSize = new PageSize(PAGE_BYTES, MOST_PER_PAGE);
  private final Backoff backoff = new Backoff();
  private volatile Executor home;

  @GuardedBy("this")
  private Cursor cursor;

  /** The first look of the tail at Redis that knows what this reader knows. */
  @GuardedBy("this")
  private long look;

  @GuardedBy("this")
  private @Nullable Taker pending;

  /** The wake that this reader is part of, while it runs. */
  @GuardedBy("this")
  private @Nullable Wake wake;

  @GuardedBy("this")
  private int max;

  @GuardedBy("this")
  private long maxBytes;

  /** Written under the lock. */
  private volatile boolean closed;

  PartitionReader(
      Partition partition,
      PartitionTail tail,
      LogStore store,
      @Nullable OlderEntries older,
      CatchUpGate gate,
      ScheduledExecutorService executor,
      LogPosition after,
      long epoch,
      long look) {
    this.partition = partition;
    this.tail = tail;
    this.store = store;
    this.older = older;
    this.gate = gate;
    this.executor = executor;
    this.home = executor;
    this.cursor = Cursor.unchecked(after, epoch);
    this.look = look;
  }

  @Override
  public CompletionStage<Page> next(int most, long bytes) {
    CompletableFuture<Page> page = new CompletableFuture<>();
    next(
        most,
        bytes,
        new Taker() {
          @Override
          public void take(Page next) {
            page.complete(next);
          }

          @Override
          public void fail(Throwable failure) {
            page.completeExceptionally(failure);
          }
        });
    return page;
  }

  @Override
  public void next(int most, long bytes, Taker taker) {
    if (most < 1) {
      throw new IllegalArgumentException("max: " + most + " (expected at least 1)");
    }
    boolean open;
    synchronized (this) {
      if (pending != null) {
        throw new IllegalStateException("the last call of next() is still open");
      }
      open = !closed;
      if (open) {
        pending = taker;
        max = most;
        maxBytes = bytes;
        if (wake != null && wake.parks(this, cursor)) {
          return;
        }
      }
    }
    if (open) {
      advance();
    } else {
      taker.take(Page.NOTHING);
    }
  }

  /** Hands out the news of a wake, if this is where they begin; else reads as always. */
  void wokenBy(Wake by) {
    News news = by.news();
    Taker taker = null;
    synchronized (this) {
      if (pending != null && news != null && news.suits(cursor, max, maxBytes)) {
        taker = pending;
        pending = null;
        cursor = news.behind(cursor);
        wake = by;
      }
    }
    if (taker == null || news == null) {
      advance();
    } else {
      taker.take(news.page());
    }
  }

  /** Ends the open call, if there is one: something went wrong on its way. */
  void fail(Throwable fault) {
    Taker open;
    synchronized (this) {
      open = pending;
      pending = null;
    }
    if (open != null) {
      open.fail(fault);
    }
  }

  boolean isClosed() {
    return closed;
  }

  @Override
  public void wakeOn(Executor thread) {
    home = thread;
  }

  /** Where it is to be woken. */
  Executor home() {
    return home;
  }

  @Override
  public synchronized LogPosition position() {
    return cursor.position();
  }

  @Override
  public synchronized long epoch() {
    return cursor.epoch();
  }

  @Override
  public long lag() {
    return tail.lag(cursor());
  }

  @Override
  public boolean isOverrun() {
    return tail.isOverrun(cursor());
  }

  @Override
  public LogPosition skipToMemory() {
    Cursor skipped = tail.skip(cursor());
    synchronized (this) {
      cursor = skipped;
      return skipped.position();
    }
  }

  @Override
  public List<LogEntry> inMemory() {
    return tail.after(cursor());
  }

  @Override
  public void close() {
    Taker open;
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
      open = pending;
      pending = null;
    }
    tail.closed(this);
    tail.release();
    if (open != null) {
      open.take(Page.NOTHING);
    }
  }

  /** Takes the next step of the open call; also how the tail wakes a parked reader. */
  void advance() {
    Attempt attempt;
    synchronized (this) {
      if (closed) {
        return;
      }
      attempt = tail.attempt(this, cursor, look, max, maxBytes);
    }
    switch (attempt.outcome()) {
      case READ -> deliver(attempt.page(), attempt.epoch(), attempt.life());
      case OVERRUN -> complete(attempt.page(), cursor().behind());
      case HISTORY -> gate.enter(() -> history(attempt));
      case PARKED -> {}
    }
  }

  @Override
  public String toString() {
    return partition + " at " + cursor();
  }

  private synchronized Cursor cursor() {
    return cursor;
  }

  /** Reads from Redis; the position has to be checked in every life of the ring anew. */
  private void history(Attempt attempt) {
    if (closed) {
      gate.leave();
      return;
    }
    Cursor at = cursor();
    if (at.checkedLife() != attempt.life() || at.atEnd()) {
      check(at, attempt);
      return;
    }
    int count = wanted();
    fromRedis(
        () -> store.range(partition, at.position(), count),
        page -> {
          pageSize.saw(page);
          List<LogEntry> next = continuation(at.position(), page);
          if (next.isEmpty()) {
            check(at, attempt);
          } else {
            gate.leave();
            deliver(Page.of(next, false), at.epoch(), 0);
          }
        });
  }

  private synchronized int wanted() {
    return pageSize.next(max, maxBytes);
  }

  /** The part of a page that follows a position without a jump. */
  private static List<LogEntry> continuation(LogPosition position, List<LogEntry> page) {
    long expected = position.sequence() + 1;
    int dense = 0;
    while (dense < page.size() && page.get(dense).position().sequence() == expected + dense) {
      dense++;
    }
    return page.subList(0, dense);
  }

  /** Finds out what the cursor is worth in the log as it is now. */
  private void check(Cursor at, Attempt attempt) {
    fromRedis(
        () -> store.sight(partition, at.position()),
        sight -> {
          gate.leave();
          judge(at, sight, attempt);
        });
  }

  private void judge(Cursor at, Sight sight, Attempt attempt) {
    LogPosition head = sight.head().position();
    long epoch = sight.head().epoch();
    LogPosition here = at.position();
    if (at.epoch() != 0 && at.epoch() != epoch) {
      // Another log: none of its entries was seen.
      replaced(checked(attempt, new LogPosition(0, 0, 0), epoch, false, false));
      return;
    }
    LogPosition follows = sight.follows();
    boolean atEnd = follows == null;
    LogPosition actual = head;
    if (follows != null) {
      actual = here.withSequence(follows.sequence() - 1);
    } else if (!here.isExact() && here.compareTo(head) > 0) {
      // A time yet to come; entries before it do not count.
      actual = here;
    }
    Cursor checked = checked(attempt, actual, epoch, atEnd, at.toldLive());
    long missed = here.isExact() ? actual.sequence() - here.sequence() : 0;
    boolean rewritten = atEnd && missed == 0 && here.isExact() && here.compareTo(actual) > 0;
    if (missed < 0 || rewritten) {
      replaced(checked);
    } else if (older != null && (missed > 0 || !here.isExact())) {
      older(at, checked, older);
    } else if (missed > 0) {
      complete(Page.trimmed(missed, actual.sequence()), checked);
    } else {
      goOn(checked);
    }
  }

  /** Tells of a log that was replaced, or of a lost end, which the ring may not know of yet. */
  private void replaced(Cursor checked) {
    synchronized (this) {
      look = tail.nextLook();
    }
    complete(Page.replaced(), checked);
  }

  private void goOn(Cursor from) {
    synchronized (this) {
      cursor = from;
    }
    advance();
  }

  /**
   * Asks for entries from before the log.
   *
   * @param checked where to go on in the log if there are none
   */
  private void older(Cursor at, Cursor checked, OlderEntries from) {
    int most = most();
    long bytes = mostBytes();
    gate.enter(
        () ->
            fromRedis(
                () -> from.after(at.position(), most, bytes),
                found -> {
                  gate.leave();
                  takeOlder(at, checked, found);
                }));
  }

  private void takeOlder(Cursor at, Cursor checked, Older found) {
    LogPosition here = at.position();
    LogPosition begins = found.logBegins();
    if (found.epoch() != checked.epoch()) {
      // The log was replaced in between, which the next look finds.
      goOn(Cursor.unchecked(here, at.epoch()));
      return;
    }
    LogPosition lost = found.lost();
    if (lost != null) {
      LogPosition upTo = earlier(lost, begins);
      LogPosition next =
          found.entries().isEmpty() ? upTo : found.entries().get(0).position().before();
      long missed = here.isExact() ? upTo.sequence() - here.sequence() : -1;
      complete(
          Page.trimmed(missed, upTo.sequence()),
          Cursor.unchecked(earlier(upTo, next), found.epoch()));
    } else if (!found.entries().isEmpty()) {
      LogPosition last = found.entries().get(found.entries().size() - 1).position();
      complete(Page.of(found.entries(), false), Cursor.unchecked(last, found.epoch()));
    } else {
      goOn(begins.compareTo(here) > 0 ? Cursor.unchecked(begins, found.epoch()) : checked);
    }
  }

  private static LogPosition earlier(LogPosition one, LogPosition other) {
    return one.compareTo(other) <= 0 ? one : other;
  }

  private synchronized int most() {
    return max;
  }

  private synchronized long mostBytes() {
    return maxBytes;
  }

  private static Cursor checked(
      Attempt attempt, LogPosition position, long epoch, boolean atEnd, boolean toldLive) {
    return new Cursor(position, epoch, attempt.life(), attempt.changes(), atEnd, toldLive, 0);
  }

  /**
   * Hands a page out.
   *
   * @param life the ring that it is from; 0 when it is from history
   */
  private void deliver(Page page, long epoch, int life) {
    Cursor at = cursor();
    List<LogEntry> entries = page.entries();
    LogPosition behind =
        entries.isEmpty() ? at.position() : entries.get(entries.size() - 1).position();
    complete(
        page,
        new Cursor(
            behind,
            epoch,
            at.checkedLife(),
            at.checkedChanges(),
            at.atEnd(),
            page.live(),
            page.live() || (life != 0 && at.liveIn() == life) ? life : 0));
  }

  private void complete(Page page, Cursor behind) {
    Taker open;
    synchronized (this) {
      open = pending;
      if (closed || open == null) {
        return;
      }
      cursor = behind;
      pending = null;
    }
    open.take(page);
  }

  private <T> void fromRedis(Supplier<CompletionStage<T>> call, Consumer<T> next) {
    CompletionStage<T> stage;
    try {
      stage = call.get();
    } catch (RuntimeException refused) {
      stage = CompletableFuture.failedFuture(refused);
    }
    stage.whenComplete(
        (value, failure) -> {
          if (failure == null) {
            backoff.succeeded();
            next.accept(value);
          } else {
            gate.leave();
            again();
          }
        });
  }

  private void again() {
    try {
      executor.schedule(this::advance, backoff.nextMillis(), TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException stopping) {
      close();
    }
  }
}
