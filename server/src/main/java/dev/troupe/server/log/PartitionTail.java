package dev.troupe.server.log;

import com.google.common.base.Ticker;
import com.google.common.collect.Lists;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.troupe.server.log.LogReader.Page;
import dev.troupe.server.log.LogStore.Sight;
import dev.troupe.server.log.PartitionLogs.LogHead;
import dev.troupe.server.redis.Partition;
import java.time.Duration;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the end of one log on behalf of all its readers in this server and keeps the newest entries
 * in a ring. One read at a time is in flight, so there is never more than one connection.
 *
 * <p>Whatever does not continue the ring exactly (Redis lost data, entries were trimmed while it
 * was away) replaces it by an empty one at the log's present end; readers then look at the history
 * and find out for themselves what it means for their own cursor. {@code life} counts these rings.
 *
 * <p>A reader that comes anew may know more of the log than the ring: another server told it that
 * the end is lost, while this one did not run. So before the ring answers it, the ring is compared
 * with the log, by one <i>look</i> for all who come meanwhile.
 *
 * <p>It ends itself after a while without readers. Thread-safe.
 */
final class PartitionTail {

  private static final Logger log = LoggerFactory.getLogger(PartitionTail.class);
  private static final Duration PATIENCE = Duration.ofSeconds(2);
  private static final int MOST_PER_READ = 512;
  private static final long READ_BYTES = 4 << 20;
  private static final int RING_ENTRIES = 1 << 16;

  /**
   * After a fault of our own, which may come again with the same entries, and is logged each time.
   */
  private static final Duration AFTER_FAULT = Duration.ofSeconds(1);

  /**
   * How many readers a thread wakes before other tasks that wait for it have their turn. What it
   * does beside tasks may have to wait longer: an event loop runs tasks for a while before it looks
   * at its connections.
   */
  private static final int WAKES_PER_TASK = 512;

  /** The life of no ring. */
  static final int OUTSIDE = 0;

  private final Partition partition;
  private final LogStore store;
  private final ScheduledExecutorService executor;
  private final LongSupplier ringBytes;
  private final long lingerNanos;
  private final Consumer<PartitionTail> onEnd;
  private final Ticker ticker;
  private final AtomicBoolean started = new AtomicBoolean();
  private final PageSize readSize = new PageSize(READ_BYTES, MOST_PER_READ);
  private final Backoff backoff = new Backoff();
  private final Backoff lookBackoff = new Backoff();

  @GuardedBy("this")
  private EntryRing ring;

  @GuardedBy("this")
  private long epoch;

  /** 0 until the log's end is known, then counts the rings. */
  @GuardedBy("this")
  private int life;

  /** Counts what happens to the ring. */
  @GuardedBy("this")
  private long changes;

  @GuardedBy("this")
  private ParkedReaders parked = new ParkedReaders();

  /** Readers that wait for a look, by its number. */
  @GuardedBy("this")
  private final Map<PartitionReader, Long> doubting = new LinkedHashMap<>();

  /** Looks are numbered; each says of the ring what was true when it began, or later. */
  @GuardedBy("this")
  private long looksBegun;

  @GuardedBy("this")
  private long looksDone;

  @GuardedBy("this")
  private boolean looking;

  /** The page read last, which most readers ask for in turn. */
  @GuardedBy("this")
  private Shared shared = new Shared(-1, 0, 0, 0, List.of());

  @GuardedBy("this")
  private int readers;

  @GuardedBy("this")
  private long unusedSinceNanos;

  @GuardedBy("this")
  private boolean ended;

  PartitionTail(
      Partition partition,
      LogStore store,
      ScheduledExecutorService executor,
      LongSupplier ringBytes,
      Duration linger,
      Ticker ticker,
      Consumer<PartitionTail> onEnd) {
    this.partition = partition;
    this.store = store;
    this.executor = executor;
    this.ringBytes = ringBytes;
    this.lingerNanos = linger.toNanos();
    this.ticker = ticker;
    this.onEnd = onEnd;
    this.ring = ringAt(LogPosition.BEGINNING);
  }

  /** Counts a reader in, unless the tail has ended. */
  synchronized boolean retain() {
    if (ended) {
      return false;
    }
    readers++;
    return true;
  }

  /** Counts a reader out. */
  synchronized void release() {
    readers--;
    unusedSinceNanos = ticker.read();
  }

  /** Ends the tail whether it has readers or not; a read in flight runs out by itself. */
  synchronized void end() {
    ended = true;
  }

  /** A page of the ring as it was after so many changes, and what it was asked for by. */
  private record Shared(long after, int max, long bytes, long changes, List<LogEntry> entries) {}

  /** What became of a reader's attempt to read the ring. */
  enum Outcome {
    /** The page is there. */
    READ,
    /** The reader was live, and is told that it no longer is. */
    OVERRUN,
    /** The reader will be woken when there is more to see. */
    PARKED,
    /** The ring cannot tell; the history can. */
    HISTORY
  }

  /** The number of the look that begins next: what is known now, it knows too. */
  synchronized long nextLook() {
    return looksBegun + 1;
  }

  /**
   * Reads on behalf of a reader, or parks it, in one step so that no wake-up falls in between.
   *
   * @param cursor where it stands; if the ring holds what follows, the result is its next page
   * @param look the first after which the reader trusts the ring
   */
  synchronized Attempt attempt(
      PartitionReader reader, Cursor cursor, long look, int max, long bytes) {
    if (life == 0) {
      return park(reader);
    }
    if (looksDone < look) {
      doubting.put(reader, look);
      if (!looking) {
        looking = true;
        // Not here, where readers hold locks of their own.
        schedule(this::lookBetween, 0);
      }
      return new Attempt(Outcome.PARKED, Page.NOTHING, epoch, life, changes);
    }
    boolean sameLog = cursor.epoch() == epoch || cursor.epoch() == 0;
    int index = sameLog ? ring.successorOf(cursor.position()) : EntryRing.ELSEWHERE;
    if (index >= 0 && index < ring.size()) {
      List<LogEntry> entries = page(index, max, bytes);
      boolean live = index + entries.size() == ring.size();
      return read(Page.of(entries, live));
    }
    if (index == ring.size()) {
      return parkAtEnd(reader, cursor);
    }
    if (isOverrun(cursor)) {
      long left = ring.base().sequence() - cursor.position().sequence();
      return new Attempt(Outcome.OVERRUN, Page.overrun(left), epoch, life, changes);
    }
    // Redis has told the reader that nothing follows. So the ring is behind, and will catch up; or
    // it is that of a log which is no more, and will be replaced. Both wake the reader.
    boolean behind = index == EntryRing.AHEAD && cursor.checkedLife() == life;
    if (!cursor.atEnd() || !(behind || cursor.checkedChanges() == changes)) {
      return new Attempt(Outcome.HISTORY, Page.NOTHING, epoch, life, changes);
    }
    if (behind || cursor.toldLive()) {
      return parkAtEnd(reader, cursor);
    }
    // It is at the end, but of another log: what this ring drops says nothing of it.
    return new Attempt(Outcome.READ, Page.of(List.of(), true), cursor.epoch(), OUTSIDE, changes);
  }

  @GuardedBy("this")
  private List<LogEntry> page(int index, int max, long bytes) {
    long after = ring.base().sequence() + index;
    if (shared.after() != after
        || shared.changes() != changes
        || shared.max() != max
        || shared.bytes() != bytes) {
      shared = new Shared(after, max, bytes, changes, ring.entries(index, max, bytes));
    }
    return shared.entries();
  }

  /** Whether a reader that was live in this ring has been left behind by it. */
  synchronized boolean isOverrun(Cursor cursor) {
    return cursor.liveIn() == life
        && life != 0
        && cursor.epoch() == epoch
        && cursor.position().isExact()
        && cursor.position().sequence() < ring.base().sequence();
  }

  /** How many entries after a position are known. */
  synchronized long lag(Cursor cursor) {
    boolean known = life != 0 && cursor.position().isExact() && cursor.epoch() == epoch;
    return known ? Math.max(0, ring.last().sequence() - cursor.position().sequence()) : 0;
  }

  /** The cursor at the beginning of the ring, if it is behind it; else as it is. */
  synchronized Cursor skip(Cursor cursor) {
    boolean outside =
        life != 0
            && cursor.epoch() == epoch
            && cursor.position().isExact()
            && cursor.position().sequence() < ring.base().sequence();
    return outside
        ? new Cursor(ring.base(), epoch, cursor.checkedLife(), changes, false, false, life)
        : cursor;
  }

  /** All that the ring holds after a cursor that stands in it. */
  synchronized List<LogEntry> after(Cursor cursor) {
    int index = cursor.epoch() == epoch ? ring.successorOf(cursor.position()) : -1;
    return index < 0 ? List.of() : ring.entries(index, ring.size(), Long.MAX_VALUE);
  }

  @GuardedBy("this")
  private Attempt parkAtEnd(PartitionReader reader, Cursor cursor) {
    return cursor.toldLive() ? park(reader) : read(Page.of(List.of(), true));
  }

  @GuardedBy("this")
  private Attempt read(Page page) {
    return new Attempt(Outcome.READ, page, epoch, life, changes);
  }

  @GuardedBy("this")
  private Attempt park(PartitionReader reader) {
    parked.add(reader);
    return new Attempt(Outcome.PARKED, Page.NOTHING, epoch, life, changes);
  }

  /** A reader is closed, which need not be woken any more. */
  synchronized void closed(PartitionReader reader) {
    parked.left();
    doubting.remove(reader);
  }

  /**
   * Where a reader stands and what it knows.
   *
   * @param checkedLife the life of the ring in which its position was last compared with Redis
   * @param checkedChanges what the ring's change counter said before that
   * @param atEnd whether nothing followed the position then
   * @param toldLive whether its last page said that it is at the end
   * @param liveIn the life of the ring in which it was at the end, and has not left since; else 0
   */
  record Cursor(
      LogPosition position,
      long epoch,
      int checkedLife,
      long checkedChanges,
      boolean atEnd,
      boolean toldLive,
      int liveIn) {

    /** At a position that is yet to be compared with Redis. */
    static Cursor unchecked(LogPosition position, long epoch) {
      return new Cursor(position, epoch, 0, 0, false, false, 0);
    }

    /** The same, no longer live. */
    Cursor behind() {
      return new Cursor(position, epoch, checkedLife, checkedChanges, atEnd, false, 0);
    }
  }

  /**
   * The result of {@link #attempt}: the page if there is one, and the ring it was made with.
   *
   * @param life of that ring; {@link #OUTSIDE} for a page that no ring had a part in
   */
  record Attempt(Outcome outcome, Page page, long epoch, int life, long changes) {}

  /** Begins to read, unless it has begun. */
  void start() {
    if (started.compareAndSet(false, true)) {
      look();
    }
  }

  /** Compares the ring with the log's end, then goes on reading. */
  private void look() {
    long look = beginLook();
    guarded(
        () -> store.sight(partition, last()),
        sight -> {
          endLook(look, isOfRing(sight) ? null : sight.head());
          read();
        });
  }

  private synchronized long beginLook() {
    return ++looksBegun;
  }

  /**
   * Lets those go on who waited for this look or for one before.
   *
   * @param instead where the ring begins anew; null when it holds
   */
  private void endLook(long look, @Nullable LogHead instead) {
    ParkedReaders woken;
    synchronized (this) {
      woken = instead == null ? new ParkedReaders() : renew(instead);
      looksDone = Math.max(looksDone, look);
      Iterator<Map.Entry<PartitionReader, Long>> each = doubting.entrySet().iterator();
      while (each.hasNext()) {
        Map.Entry<PartitionReader, Long> doubt = each.next();
        if (doubt.getValue() <= looksDone) {
          woken.add(doubt.getKey());
          each.remove();
        }
      }
    }
    wake(woken, null);
  }

  /** A look between two of the regular ones, while a read may be under way. */
  private void lookBetween() {
    LogPosition last;
    int during;
    long look;
    synchronized (this) {
      last = ring.last();
      during = life;
      look = beginLook();
    }
    begun(() -> store.sight(partition, last))
        .whenComplete(
            (sight, failure) -> {
              boolean looked = false;
              try {
                if (failure == null) {
                  endLook(look, isContinued(last, during, sight) ? null : sight.head());
                  looked = true;
                }
              } catch (RuntimeException | Error fault) {
                tell(fault);
              }
              lookAgain(looked);
            });
  }

  /** Whether the log went on from a position as the ring did, if that is the same still. */
  private synchronized boolean isContinued(LogPosition last, int during, Sight sight) {
    if (life != during) {
      return true;
    }
    LogPosition head = sight.head().position();
    LogPosition follows = sight.follows();
    return sight.head().epoch() == epoch
        && (follows == null ? head.equals(last) : follows.sequence() == last.sequence() + 1);
  }

  private synchronized void lookAgain(boolean succeeded) {
    looking = !doubting.isEmpty();
    if (succeeded) {
      lookBackoff.succeeded();
    }
    if (looking) {
      schedule(this::lookBetween, succeeded ? 0 : lookBackoff.nextMillis());
    }
  }

  private synchronized boolean isOfRing(Sight sight) {
    LogHead head = sight.head();
    if (life == 0 || head.epoch() != epoch) {
      return false;
    }
    long beyond = head.position().sequence() - ring.last().sequence();
    // What was trimmed before it was read here will never be read.
    return beyond > 0
        ? sight.follows() != null
        : beyond == 0 && head.position().equals(ring.last());
  }

  private void read() {
    if (isOver()) {
      return;
    }
    LogPosition after = last();
    guarded(
        () -> store.await(partition, after, readSize.next(MOST_PER_READ), PATIENCE),
        entries -> {
          readSize.saw(entries);
          if (entries.isEmpty()) {
            shrink();
            // A log that was lost and is not written to shows it by its head only.
            look();
          } else if (append(entries)) {
            read();
          } else {
            startOver();
          }
        });
  }

  /** Others may have come that need a share of the memory, while nothing came here. */
  private synchronized void shrink() {
    ring.holdAtMost(ringBytes.getAsLong());
  }

  private synchronized LogPosition last() {
    return ring.last();
  }

  private void startOver() {
    guarded(
        () -> store.head(partition),
        head -> {
          replaceRing(head);
          read();
        });
  }

  /** Adds entries and wakes readers; false when they do not continue the ring. */
  boolean append(List<LogEntry> entries) {
    ParkedReaders woken;
    News news;
    synchronized (this) {
      if (epoch == 0) {
        // The first entries of a log: its epoch is to be learned.
        return false;
      }
      LogPosition after = ring.last();
      ring.holdAtMost(ringBytes.getAsLong());
      for (LogEntry entry : entries) {
        if (!ring.continuesWith(entry)) {
          return false;
        }
        ring.append(entry);
      }
      // First what may fail: who is taken out must be woken.
      news = new News(after, entries, epoch, life, changes + 1);
      woken = takeParked();
    }
    wake(woken, news);
    return true;
  }

  /** Begins the ring anew at the log's end, and wakes readers. */
  void replaceRing(LogHead head) {
    ParkedReaders woken;
    synchronized (this) {
      woken = renew(head);
    }
    wake(woken, null);
  }

  @GuardedBy("this")
  private ParkedReaders renew(LogHead head) {
    ring = ringAt(head.position());
    epoch = head.epoch();
    life++;
    return takeParked();
  }

  private EntryRing ringAt(LogPosition base) {
    return new EntryRing(base, ringBytes.getAsLong(), RING_ENTRIES);
  }

  @GuardedBy("this")
  private ParkedReaders takeParked() {
    changes++;
    ParkedReaders woken = parked;
    parked = new ParkedReaders();
    return woken;
  }

  /**
   * Parks readers that have read all as it was after so many changes; false when more has come
   * since, which they are to look for.
   *
   * @param home where each of them is woken
   */
  synchronized boolean parkAgain(Executor home, List<PartitionReader> read, long asOf) {
    if (changes != asOf) {
      return false;
    }
    parked.addAll(home, read);
    return true;
  }

  private void wake(ParkedReaders woken, @Nullable News news) {
    woken.forEach(
        (home, readers) -> wake(home, Lists.partition(readers, WAKES_PER_TASK).iterator(), news));
  }

  private void wake(Executor home, Iterator<List<PartitionReader>> left, @Nullable News news) {
    if (!left.hasNext()) {
      return;
    }
    List<PartitionReader> some = left.next();
    try {
      home.execute(
          () -> {
            try {
              new Wake(this, home, news).run(some);
            } finally {
              wake(home, left, news);
            }
          });
    } catch (RejectedExecutionException stopping) {
      log.debug("{}: readers are not woken, the server stops", partition);
    }
  }

  /** Whether it has ended, which it does here when nobody has read for a while. */
  private boolean isOver() {
    synchronized (this) {
      if (!ended && (readers > 0 || ticker.read() - unusedSinceNanos < lingerNanos)) {
        return false;
      }
      ended = true;
    }
    onEnd.accept(this);
    return true;
  }

  /** Goes on with what Redis answers, or looks again after a pause. */
  private <T> void guarded(Supplier<CompletionStage<T>> call, Consumer<T> next) {
    begun(call)
        .whenComplete(
            (value, failure) -> {
              if (failure != null) {
                retry(failure);
                return;
              }
              if (backoff.failing()) {
                log.info("{}: the log is read again", partition);
                backoff.succeeded();
              }
              try {
                next.accept(value);
              } catch (RuntimeException | Error fault) {
                // Whatever it is, those who wait would wait for good.
                tell(fault);
                schedule(this::look, AFTER_FAULT.toMillis());
              }
            });
  }

  private static <T> CompletionStage<T> begun(Supplier<CompletionStage<T>> call) {
    try {
      return call.get();
    } catch (RuntimeException refused) {
      return CompletableFuture.failedFuture(refused);
    }
  }

  private void tell(Throwable fault) {
    log.error("{}: a fault while it is followed", partition, fault);
  }

  private void retry(Throwable failure) {
    if (isOver()) {
      return;
    }
    if (!backoff.failing()) {
      log.warn("{}: the log cannot be read, trying again: {}", partition, failure.toString());
    }
    schedule(this::look, backoff.nextMillis());
  }

  private void schedule(Runnable step, long millis) {
    try {
      executor.schedule(step, millis, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException stopping) {
      end();
    }
  }
}
