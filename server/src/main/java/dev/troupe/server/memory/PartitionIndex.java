package dev.troupe.server.memory;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.troupe.server.log.LogEntry;
import dev.troupe.server.log.LogReader;
import dev.troupe.server.log.PartitionLogs;
import dev.troupe.server.log.PartitionLogs.LogHead;
import dev.troupe.server.memory.search.IndexChange;
import dev.troupe.server.memory.search.SpaceIndex;
import dev.troupe.server.redis.Partition;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The indexes of one partition's spaces: loaded from Redis, then kept up by the partition's log.
 *
 * <p>The log is followed from where it stood before the first space was read, and names what
 * changed; the items themselves are read as they are then. So each may be newer than the revision
 * says, never older, and to read one twice does no harm. When entries are missing all is loaded
 * anew. Thread-safe.
 */
final class PartitionIndex implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(PartitionIndex.class);
  private static final int ITEMS = 512;
  private static final int NAMES = 500;
  private static final int ENTRIES = 512;
  private static final long PAUSE_MILLIS = 200;

  private final Partition partition;
  private final IndexReads reads;
  private final SpaceStore store;
  private final PartitionLogs logs;
  private final RedisClock clock;
  private final ScheduledExecutorService writer;
  private final Executor background;

  private volatile Map<String, IndexedSpace> spaces = new ConcurrentHashMap<>();
  private volatile long revision;
  private final AtomicLong put = new AtomicLong();
  private volatile boolean ready;

  /** Counts the loads, from when they begin. */
  private final AtomicInteger loads = new AtomicInteger();

  @GuardedBy("this")
  private final List<Wait> waits = new ArrayList<>();

  @GuardedBy("this")
  private @Nullable LogReader reader;

  @GuardedBy("this")
  private boolean closed;

  private record Wait(long revision, CompletableFuture<Long> reached) {}

  /**
   * Begins to load.
   *
   * @param writer one thread, which alone changes the indexes
   * @param background for what the indexes do ahead of searches
   */
  PartitionIndex(
      Partition partition,
      IndexReads reads,
      SpaceStore store,
      PartitionLogs logs,
      RedisClock clock,
      ScheduledExecutorService writer,
      Executor background) {
    this.partition = partition;
    this.reads = reads;
    this.store = store;
    this.logs = logs;
    this.clock = clock;
    this.writer = writer;
    this.background = background;
  }

  /** All changes up to this one are in, once it is ready. */
  long revision() {
    return revision;
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
    CompletableFuture<Long> reached = new CompletableFuture<>();
    synchronized (this) {
      if (ready && revision >= wanted) {
        reached.complete(revision);
        return reached;
      }
      if (closed) {
        reached.completeExceptionally(new TimeoutException("let go"));
        return reached;
      }
      Wait wait = new Wait(wanted, reached);
      waits.add(wait);
      reached.whenComplete((done, failure) -> forget(wait));
    }
    return reached;
  }

  private synchronized void forget(Wait wait) {
    waits.remove(wait);
  }

  private void advance(long to) {
    List<Wait> due;
    synchronized (this) {
      revision = to;
      due = waits.stream().filter(wait -> ready && wait.revision <= to).toList();
    }
    due.forEach(wait -> wait.reached.complete(to));
  }

  /** Loads everything, then follows the log; again and again until that goes well. */
  void load() {
    Map<String, IndexedSpace> fresh = new ConcurrentHashMap<>();
    ready = false;
    loads.incrementAndGet();
    // Redis may have begun to count anew; what has been put so far, the load will find.
    put.set(0);
    spaces.values().forEach(IndexedSpace::close);
    spaces = fresh;
    logs.head(partition)
        .thenCompose(head -> loadSpaces(fresh, "", head).thenApply(done -> head))
        .whenComplete(
            (head, failure) -> {
              if (failure != null) {
                loadLater(failure);
              } else {
                beReady();
                advance(head.position().sequence());
                follow(head);
              }
            });
  }

  private synchronized void beReady() {
    ready = !closed;
  }

  private void loadLater(@Nullable Throwable why) {
    if (isClosed()) {
      return;
    }
    log.warn("the memory of {} is not indexed, but will be", partition, why);
    try {
      writer.schedule(this::load, PAUSE_MILLIS, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException stopped) {
      log.debug("the server stops");
    }
  }

  /** What these stages yield says nothing; their end does. */
  private CompletionStage<Integer> loadSpaces(
      Map<String, IndexedSpace> into, String after, LogHead head) {
    return store
        .names(partition, "", after, NAMES)
        .thenCompose(
            names -> {
              CompletionStage<Integer> loaded = CompletableFuture.completedFuture(0);
              for (String name : names) {
                loaded = loaded.thenCompose(done -> loadSpace(into, name, head));
              }
              return names.size() < NAMES
                  ? loaded
                  : loaded.thenCompose(done -> loadSpaces(into, names.get(names.size() - 1), head));
            });
  }

  private CompletionStage<Integer> loadSpace(
      Map<String, IndexedSpace> into, String name, LogHead head) {
    return reads
        .page(partition, name, "", ITEMS)
        .thenCompose(
            page -> {
              if (page.isEmpty()) {
                return CompletableFuture.completedFuture(0);
              }
              IndexedSpace space = new IndexedSpace(page.get(), background);
              into.put(name, space);
              return loadPage(name, space, page.get(), head);
            });
  }

  /** The next page is on its way while one is put into the index. */
  private CompletionStage<Integer> loadPage(
      String name, IndexedSpace space, IndexReads.Some page, LogHead head) {
    CompletionStage<Optional<IndexReads.Some>> next =
        page.next().isEmpty()
            ? CompletableFuture.completedFuture(Optional.empty())
            : reads.page(partition, name, page.next(), ITEMS);
    return CompletableFuture.supplyAsync(
            () -> {
              clock.observe(page.nowMicros());
              List<IndexChange> changes = new ArrayList<>(page.rows().size());
              page.rows().stream()
                  .filter(row -> !row.said().isOver(page.nowMicros()))
                  .forEach(row -> changes.add(new IndexChange.Upsert(IndexedSpace.item(row))));
              apply(space.index(), changes, head.position().sequence());
              return changes.size();
            },
            writer)
        .thenCombine(next, (done, following) -> following)
        .thenCompose(
            following ->
                following.isPresent() && space.isOf(following.get())
                    ? loadPage(name, space, following.get(), head)
                    : CompletableFuture.completedFuture(0));
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
    if (failure != null || page.missed() != 0 || page.epochChanged()) {
      from.close();
      loadLater(failure);
      return;
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
    long sequence = entries.get(entries.size() - 1).position().sequence();
    CompletionStage<Integer> all = CompletableFuture.completedFuture(0);
    for (SpaceTouches touched : SpaceTouches.of(entries).values()) {
      all = all.thenCombine(apply(touched, sequence), Integer::sum);
    }
    return all.thenAccept(done -> advance(sequence));
  }

  private CompletionStage<Integer> apply(SpaceTouches touched, long sequence) {
    return touched
        .read(partition, reads)
        .thenApplyAsync(
            found -> {
              write(touched, found, sequence);
              return 1;
            },
            writer);
  }

  private void write(SpaceTouches touched, Optional<IndexReads.Some> found, long sequence) {
    IndexedSpace there = spaces.get(touched.name());
    if (found.isEmpty()) {
      if (there != null && spaces.remove(touched.name(), there)) {
        there.close();
      }
      return;
    }
    IndexReads.Some space = found.get();
    clock.observe(space.nowMicros());
    IndexedSpace now = there;
    if (now == null || !now.isOf(space)) {
      now = new IndexedSpace(space, background);
      spaces.put(touched.name(), now);
      if (there != null) {
        there.close();
      }
    }
    now.update(space);
    apply(now.index(), touched.changes(space), sequence);
  }

  private static void apply(SpaceIndex index, List<IndexChange> changes, long sequence) {
    try {
      index.apply(changes, sequence);
    } catch (IllegalArgumentException e) {
      // Never so by our own doing; one item must not keep the others from being found.
      log.error("changes of a space cannot be indexed together", e);
      for (IndexChange change : changes) {
        try {
          index.apply(List.of(change), sequence);
        } catch (IllegalArgumentException refused) {
          log.error("an item cannot be indexed", refused);
        }
      }
    }
  }

  private synchronized boolean isClosed() {
    return closed;
  }

  /** Those who wait are told that it did not get there. */
  @Override
  public void close() {
    LogReader open;
    List<Wait> left;
    synchronized (this) {
      closed = true;
      ready = false;
      open = reader;
      left = List.copyOf(waits);
    }
    left.forEach(wait -> wait.reached.completeExceptionally(new TimeoutException("let go")));
    if (open != null) {
      open.close();
    }
    spaces.values().forEach(IndexedSpace::close);
  }
}
