package dev.troupe.server.memory;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.troupe.server.log.LogEntry;
import dev.troupe.server.log.LogPosition;
import dev.troupe.server.log.LogReader;
import dev.troupe.server.log.PartitionLogs;
import dev.troupe.server.log.PartitionLogs.LogHead;
import dev.troupe.server.redis.Partition;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The indexes of one partition's spaces: read from a dump or from Redis, then kept up by the
 * partition's log.
 *
 * <p>The log is followed from where it stood before the first space was read, and names what
 * changed; the items themselves are read as they are then. So each may be newer than the revision
 * says, never older, and to read one twice does no harm. When entries are missing, or others are
 * where what was read belongs, all is loaded anew. Thread-safe.
 */
final class PartitionIndex implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(PartitionIndex.class);
  private static final int ENTRIES = 512;
  private static final long PAUSE_MILLIS = 200;

  private final Partition partition;
  private final IndexReads reads;
  private final FullLoad full;
  private final IndexDumps dumps;
  private final PartitionLogs logs;
  private final RedisClock clock;
  private final ScheduledExecutorService writer;
  private final Executor background;

  private volatile Map<String, IndexedSpace> spaces = new ConcurrentHashMap<>();
  private volatile LogPosition at = SeenPositions.NOWHERE;
  private final SeenPositions seen = new SeenPositions();

  /** Of the log; 0 before its first entry. */
  private volatile long epoch;

  private final AtomicLong changes = new AtomicLong();
  private final AtomicLong put = new AtomicLong();
  private volatile boolean ready;

  /** What this load began with; null when it read everything from Redis. */
  private volatile @Nullable DumpHeader restored;

  private final AtomicBoolean lookedForDump = new AtomicBoolean();

  /** Counts the loads, from when they begin. */
  private final AtomicInteger loads = new AtomicInteger();

  private final RevisionWaits waits = new RevisionWaits();

  @GuardedBy("this")
  private @Nullable LogReader reader;

  /** What was there when loading began is in from here on. */
  @GuardedBy("this")
  private long readyFrom;

  @GuardedBy("this")
  private boolean closed;

  /** Where a load begins to follow the log, and from which revision on it is complete. */
  private record Start(LogHead from, long readyFrom) {}

  /**
   * An empty one, which is to be loaded.
   *
   * @param full loads everything when there is no dump
   * @param writer one thread, which alone changes the indexes
   * @param background for what the indexes do ahead of searches
   */
  PartitionIndex(
      Partition partition,
      IndexReads reads,
      FullLoad full,
      IndexDumps dumps,
      PartitionLogs logs,
      RedisClock clock,
      ScheduledExecutorService writer,
      Executor background) {
    this.partition = partition;
    this.reads = reads;
    this.full = full;
    this.dumps = dumps;
    this.logs = logs;
    this.clock = clock;
    this.writer = writer;
    this.background = background;
  }

  /** All changes up to this one are in, once it is ready. */
  long revision() {
    return at.sequence();
  }

  /** The newest change that was put through this server, as far as it is known. */
  long put() {
    return put.get();
  }

  /** A change was put through this server. */
  void put(long at) {
    put.accumulateAndGet(at, Math::max);
  }

  /** Whether everything is loaded. */
  boolean isReady() {
    return ready;
  }

  @Nullable IndexedSpace space(String name) {
    return spaces.get(name);
  }

  /** A space to be searched. */
  View view(String name) {
    int load = loads.get();
    boolean whole = ready;
    return new View(name, spaces.get(name), load, whole);
  }

  /** A space as it was found: null when there was none. */
  final class View {

    private final String name;
    private final @Nullable IndexedSpace space;
    private final int load;
    private final boolean whole;

    private View(String name, @Nullable IndexedSpace space, int load, boolean whole) {
      this.name = name;
      this.space = space;
      this.load = load;
      this.whole = whole;
    }

    @Nullable IndexedSpace space() {
      return space;
    }

    /**
     * Whether it was whole when it was found and has not been replaced since, so that what was
     * found in it is all there was. An index that is being loaded, or was closed, finds less.
     */
    boolean stands() {
      return whole && ready && load == loads.get() && spaces.get(name) == space;
    }
  }

  /** Completes, with where it is, when all is loaded and all changes up to a revision are in. */
  CompletableFuture<Long> reached(long wanted) {
    return waits.reached(wanted);
  }

  private void advance(LogPosition to) {
    boolean whole;
    synchronized (this) {
      at = to;
      ready = !closed && to.sequence() >= readyFrom;
      whole = ready;
    }
    if (whole) {
      waits.advance(to.sequence());
    }
  }

  /** Loads everything, then follows the log; again and again until that goes well. */
  void load() {
    Map<String, IndexedSpace> fresh = new ConcurrentHashMap<>();
    notReadyBefore(Long.MAX_VALUE);
    loads.incrementAndGet();
    // Redis may have begun to count anew; what has been put so far, the load will find.
    put.set(0);
    spaces.values().forEach(IndexedSpace::close);
    spaces = fresh;
    seen.clear();
    restored = null;
    logs.head(partition)
        .thenCompose(head -> fill(fresh, head))
        .whenComplete(
            (start, failure) -> {
              if (failure != null) {
                loadLater(failure);
              } else {
                epoch = start.from().epoch();
                notReadyBefore(start.readyFrom());
                advance(start.from().position());
                tell();
                follow(start.from());
              }
            });
  }

  private void tell() {
    long items = items();
    if (restored == null && items >= DumpPlan.LEAST_ITEMS) {
      log.info("indexed the memory of {} from Redis: {} items", partition, items);
    }
  }

  private void notReadyBefore(long revision) {
    synchronized (this) {
      ready = false;
      readyFrom = revision;
    }
    waits.holdBack();
  }

  private CompletionStage<Start> fill(Map<String, IndexedSpace> into, LogHead head) {
    long sequence = head.position().sequence();
    return CompletableFuture.supplyAsync(() -> readDump(into, head), writer)
        .thenCompose(
            dump ->
                dump == null
                    ? full.into(into, sequence, this::observe)
                        .thenCompose(done -> seeEnd(head.epoch()))
                        .thenApply(done -> new Start(head, sequence))
                    : seeClock(into.keySet())
                        .thenApply(
                            done -> new Start(new LogHead(dump.at(), dump.epoch()), sequence)));
  }

  /** Null when there is none that leads to where the log is. It is tried once. */
  private @Nullable DumpHeader readDump(Map<String, IndexedSpace> into, LogHead head) {
    if (lookedForDump.getAndSet(true)) {
      return null;
    }
    Optional<IndexDump> found = dumps.find(partition);
    if (found.isEmpty()) {
      return null;
    }
    DumpHeader header = found.get().header();
    try {
      header.requireLeadsTo(head);
      found.get().into(into, background);
    } catch (IOException e) {
      into.values().forEach(IndexedSpace::close);
      into.clear();
      dumps.refuse(partition, e);
      return null;
    }
    seen.add(header.seen());
    restored = header;
    log.info(
        "read the dump of the index of {}: {} items, {} entries of the log behind",
        partition,
        header.items(),
        head.position().sequence() - header.at().sequence());
    return header;
  }

  /** Nothing that has ended may be found before the first change tells the time. */
  private CompletionStage<?> seeClock(Set<String> names) {
    return names.stream()
        .findAny()
        .<CompletionStage<?>>map(
            name ->
                reads
                    .items(partition, name, List.of())
                    .thenAccept(some -> some.ifPresent(now -> clock.observe(now.nowMicros()))))
        .orElse(CompletableFuture.completedFuture(null));
  }

  private void observe(IndexReads.Some read) {
    clock.observe(read.nowMicros());
    seen.add(read.newest());
  }

  /**
   * What was found not to be there is seen too, but does not tell where the log ended then. Fails
   * when the log does not get to where it was seen to end before.
   */
  private CompletionStage<?> seeEnd(long life) {
    LogPosition before = seen.newest();
    return logs.head(partition)
        .thenAccept(
            end -> {
              boolean same = life == 0 || life == end.epoch();
              if (!same || !DumpHeader.isIn(before, end.position())) {
                throw new IllegalStateException("Redis lost the end of the log");
              }
              seen.add(end.position());
            });
  }

  private void loadLater(@Nullable Throwable why) {
    if (isClosed()) {
      return;
    }
    // Nothing is found in it, nor dumped of it, from now on.
    notReadyBefore(Long.MAX_VALUE);
    loads.incrementAndGet();
    log.warn("the memory of {} is not indexed, but will be", partition, why);
    try {
      writer.schedule(this::load, PAUSE_MILLIS, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException stopped) {
      log.debug("the server stops");
    }
  }

  private void follow(LogHead head) {
    LogReader opened = logs.open(partition, head.position(), head.epoch());
    synchronized (this) {
      if (!closed) {
        reader = opened;
        next(opened);
        return;
      }
    }
    opened.close();
  }

  private void next(LogReader from) {
    from.next(ENTRIES).whenComplete((page, failure) -> read(from, page, failure));
  }

  /** A change that cannot be read fails like one that cannot be applied: all is loaded anew. */
  private CompletionStage<?> applied(LogReader.Page page) {
    try {
      return apply(page.entries());
    } catch (RuntimeException damaged) {
      return CompletableFuture.failedFuture(damaged);
    }
  }

  private void read(LogReader from, LogReader.Page page, @Nullable Throwable failure) {
    if (isClosed()) {
      return;
    }
    if (failure != null
        || page.missed() != 0
        || page.epochChanged()
        || !seen.agreeWith(page.entries())) {
      from.close();
      loadLater(failure);
      return;
    }
    if (!page.entries().isEmpty()) {
      // That of a log that had not begun when the index did.
      epoch = from.epoch();
    }
    applied(page)
        .whenComplete(
            (done, refused) -> {
              if (refused != null) {
                from.close();
                loadLater(refused);
              } else {
                next(from);
              }
            });
  }

  private CompletionStage<?> apply(List<LogEntry> entries) {
    if (entries.isEmpty()) {
      return CompletableFuture.completedFuture(null);
    }
    LogPosition last = entries.get(entries.size() - 1).position();
    long sequence = last.sequence();
    CompletionStage<Integer> all = CompletableFuture.completedFuture(0);
    for (SpaceTouches touched : SpaceTouches.of(entries).values()) {
      all = all.thenCombine(apply(touched, sequence), Integer::sum);
    }
    return all.thenAccept(done -> advance(last));
  }

  private CompletionStage<Integer> apply(SpaceTouches touched, long sequence) {
    return touched
        .read(partition, reads)
        .thenCompose(
            found ->
                found.isPresent()
                    ? CompletableFuture.completedFuture(found)
                    : seeEnd(epoch).thenApply(done -> found))
        .thenApplyAsync(
            found -> {
              write(touched, found, sequence);
              return 1;
            },
            writer);
  }

  private void write(SpaceTouches touched, Optional<IndexReads.Some> found, long sequence) {
    changes.addAndGet(touched.size());
    IndexedSpace there = spaces.get(touched.name());
    if (found.isEmpty()) {
      if (there != null && spaces.remove(touched.name(), there)) {
        there.close();
      }
      return;
    }
    IndexReads.Some space = found.get();
    observe(space);
    IndexedSpace now = there;
    if (now == null || !now.isOf(space)) {
      now = new IndexedSpace(space, background);
      spaces.put(touched.name(), now);
      if (there != null) {
        there.close();
      }
    }
    now.update(space);
    now.apply(touched.changes(space), sequence);
  }

  /**
   * How far a complete index is; see {@link DumpHeader}.
   *
   * @param load which of its loads it is of
   * @param changes that were made up to there, of this and of earlier loads
   * @param restored what the load began with; null for nothing
   */
  record Stand(int load, long epoch, LogPosition at, long changes, @Nullable DumpHeader restored) {}

  /** Null while it is being loaded, and before the first entry of the log. */
  @Nullable Stand stand() {
    int load = loads.get();
    boolean whole = ready;
    // The place first: what was changed up to it is counted by then.
    LogPosition place = at;
    Stand stand = new Stand(load, epoch, place, changes.get(), restored);
    return whole && isStill(stand) && stand.epoch() != 0 ? stand : null;
  }

  /** Whether it was not loaded anew, or closed, since. */
  boolean isStill(Stand stand) {
    return ready && loads.get() == stand.load();
  }

  /** Nothing of a later change is in what the indexes hold by now. */
  LogPosition seen() {
    LogPosition place = at;
    LogPosition newest = seen.newest();
    return newest.sequence() > place.sequence() ? newest : place;
  }

  /** By their names. */
  Map<String, IndexedSpace> spaces() {
    return spaces;
  }

  /** What a dump takes, about. */
  long dumpBytes() {
    return spaces.values().stream().mapToLong(IndexedSpace::dumpBytes).sum();
  }

  /** Of all spaces. */
  long items() {
    return spaces.values().stream().mapToLong(space -> space.index().size()).sum();
  }

  private synchronized boolean isClosed() {
    return closed;
  }

  /** Those who wait are told that it did not get there. */
  @Override
  public void close() {
    LogReader open;
    synchronized (this) {
      closed = true;
      ready = false;
      open = reader;
    }
    waits.close();
    if (open != null) {
      open.close();
    }
    spaces.values().forEach(IndexedSpace::close);
  }
}
