package dev.troupe.server.grpc;

import dev.troupe.server.grpc.StreamFormat.Hole;
import dev.troupe.server.grpc.StreamFormat.Lack;
import dev.troupe.server.grpc.StreamFormat.Slice;
import dev.troupe.server.log.LogEntry;
import dev.troupe.server.log.LogPosition;
import dev.troupe.server.log.LogReader;
import dev.troupe.server.log.LogReader.Page;
import dev.troupe.server.log.PartitionLogs.LogHead;
import dev.troupe.server.log.ResumePoint;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * One partition of a stream: its reader, and what of the page read last is still to be sent.
 * Belongs to whoever has the stream's turn.
 */
final class StreamSource implements LogReader.Taker {

  private static final int LIVE_ENTRIES = 64;
  private static final int LIVE_BYTES = 64 << 10;
  private static final int HISTORY_ENTRIES = 256;
  private static final int HISTORY_BYTES = 128 << 10;
  private static final Predicate<LogEntry> ALL = entry -> true;

  final int partition;
  final LogReader reader;

  /** Set by whoever brings the page, and taken in a turn. */
  private volatile @Nullable Page arrived;

  private @Nullable Page page;
  private boolean fetching;
  private int sent;
  private boolean live;

  /** The place of the last entry looked at, and the life of the log that it belongs to. */
  private LogPosition at;

  private long epoch;

  /** Up to which sequence the caller knows that all was read; -1 before the first entry. */
  private long told;

  private Predicate<LogEntry> keep = ALL;
  private long keepUpTo;
  private final long endMillis;
  private @Nullable LogPosition end;
  private boolean reachedEnd;

  private final Owner owner;

  /** Whom it tells, on any thread. */
  interface Owner {

    void arrived();

    void failed(Throwable failure);
  }

  StreamSource(int partition, LogReader reader, LogHead from, long endMillis, Owner owner) {
    this.partition = partition;
    this.reader = reader;
    this.owner = owner;
    this.at = from.position();
    this.epoch = from.epoch();
    this.told = from.position().sequence();
    this.endMillis = endMillis;
  }

  /** Asks for a page unless there is one, or one is asked for. */
  void fetch() {
    if (fetching || isDone()) {
      return;
    }
    fetching = true;
    reader.next(live ? LIVE_ENTRIES : HISTORY_ENTRIES, live ? LIVE_BYTES : HISTORY_BYTES, this);
  }

  @Override
  public void take(Page next) {
    arrived = next;
    owner.arrived();
  }

  @Override
  public void fail(Throwable failure) {
    owner.failed(failure);
  }

  /** The page to be sent, if there is one. */
  @Nullable Page page() {
    Page next = arrived;
    if (page == null && next != null) {
      arrived = null;
      page = upToEnd(next);
      sent = 0;
    }
    return page;
  }

  /** The page without what comes after the end of the stream. */
  private Page upToEnd(Page next) {
    List<LogEntry> entries = next.entries();
    if (entries.isEmpty() || entries.get(entries.size() - 1).position().millis() < endMillis) {
      return next;
    }
    reachedEnd = true;
    return Page.of(
        entries.stream().takeWhile(each -> each.position().millis() < endMillis).toList(), true);
  }

  /** What is still to be sent of a page; null at its end. */
  @Nullable Slice rest(Page current, int most) {
    List<LogEntry> entries = current.entries();
    if (isSent(current)) {
      return null;
    }
    if (told < 0) {
      // It began at a time or at the beginning, whatever that was.
      told = entries.get(0).position().sequence() - 1;
    }
    return new Slice(partition, reader.epoch(), entries, sent, most, told, keep);
  }

  /** Whether all of a page was looked at. */
  boolean isSent(Page current) {
    return sent == current.entries().size();
  }

  /** Goes on behind what was looked at, and told of if there was anything. */
  void passed(Slice slice, int next, boolean something) {
    sent = next;
    stand(slice.page().get(next - 1).position(), slice.epoch());
    if (something) {
      told = Math.max(told, at.sequence());
    }
    if (keep != ALL && at.sequence() >= keepUpTo) {
      keep = ALL;
    }
  }

  /** The page is sent; whether it brought the stream to the log's end. */
  void finished(Page sentPage) {
    live |= sentPage.live();
    if (sentPage.live() && sentPage.entries().isEmpty() && !reachedEnd) {
      // It may have come there past entries that are kept for others only.
      at = reader.position();
    }
    epoch = reader.epoch();
    page = null;
    fetching = false;
  }

  /** What a page without entries says is missing; the source stands behind it then. */
  Hole hole(Page report) {
    long from = Math.max(0, at.sequence());
    stand(reader.position(), reader.epoch());
    told = Math.max(0, Math.max(at.sequence(), report.missedUpTo()));
    Lack lack = report.epochChanged() ? Lack.REPLACED : Lack.TRIMMED;
    return new Hole(lack, partition, Math.max(0, report.missed()), from, told);
  }

  /** Passes over what has left the memory. */
  Hole dropOldest() {
    long from = at.sequence();
    stand(reader.skipToMemory(), reader.epoch());
    told = at.sequence();
    return new Hole(Lack.SLOW, partition, told - from, from, told);
  }

  /** Passes over all but the newest of each subject, which are still to be sent. */
  Hole conflate(Predicate<LogEntry> wanted) {
    long from = at.sequence();
    stand(reader.skipToMemory(), reader.epoch());
    Conflation newest = new Conflation(reader.inMemory(), wanted, at.sequence());
    keep = newest;
    keepUpTo = newest.head();
    told = newest.head();
    return new Hole(Lack.SLOW, partition, told - from - newest.kept(), from, told);
  }

  void fellBehind() {
    live = false;
  }

  boolean isLive() {
    return live;
  }

  /** It stands behind an entry of a life of the log. */
  void stand(LogPosition position, long life) {
    at = position;
    epoch = life;
  }

  /** Tells where it stands. */
  void mark(ResumePoint point) {
    point.move(partition, at, epoch);
  }

  /** Entries that are known and not sent. */
  long lag() {
    Page current = page();
    long left = current == null ? 0 : current.entries().size() - sent;
    return left + reader.lag();
  }

  /** It ends at a position. */
  void endAt(LogPosition last) {
    end = last;
  }

  /** Whether it has come to its end. */
  boolean isDone() {
    LogPosition last = end;
    return (reachedEnd && page == null) || (last != null && at.compareTo(last) >= 0);
  }
}
