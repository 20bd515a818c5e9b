package dev.troupe.server.memory;

import com.google.common.base.Ticker;
import dev.troupe.server.log.LogPosition;
import dev.troupe.server.redis.Partition;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Keeps the dump of one partition's indexes. Used by one thread at a time. */
final class IndexSaver {

  private static final Logger log = LoggerFactory.getLogger(IndexSaver.class);

  /** What most disks take at least. */
  private static final long BYTES_A_MILLI = 100_000;

  /** For the index to get to what it has seen, which takes it milliseconds. */
  private static final Duration PATIENCE = Duration.ofSeconds(3);

  private final Partition partition;
  private final PartitionIndex index;
  private final IndexDumps dumps;
  private final DumpPlan plan;
  private final Ticker ticker;
  private @Nullable DumpHeader kept;

  /** Of the index, the last time; another one has nothing to do with what is kept. */
  private int load;

  IndexSaver(
      Partition partition,
      PartitionIndex index,
      IndexDumps dumps,
      Duration interval,
      Ticker ticker) {
    this.partition = partition;
    this.index = index;
    this.dumps = dumps;
    this.plan = new DumpPlan(interval);
    this.ticker = ticker;
  }

  /** Writes what is worth it. */
  void save() {
    save(false, Long.MAX_VALUE);
  }

  /** The same before the server stops, if it can be done in the time that is left. */
  void saveLast(Duration left) {
    save(true, left.toMillis() * BYTES_A_MILLI);
  }

  private void save(boolean last, long mostBytes) {
    PartitionIndex.Stand stand = index.stand();
    if (stand == null || !dumps.areKept()) {
      return;
    }
    try {
      save(stand, last, mostBytes);
    } catch (IOException e) {
      // Whatever there is now: it is written anew, after a while.
      plan.failed(ticker.read());
      kept = null;
      log.warn("the index of {} cannot be kept on the disk: {}", partition, IndexDumps.told(e));
    }
  }

  private void save(PartitionIndex.Stand stand, boolean last, long mostBytes) throws IOException {
    if (stand.load() != load) {
      load = stand.load();
      kept = stand.restored();
      if (kept == null) {
        // What there may be is of an index that was found to be wrong.
        dumps.delete(partition);
        plan.deleted();
      } else {
        plan.kept(kept.at().sequence(), 0, ticker.read());
      }
    }
    long items = index.items();
    switch (plan.next(stand.at().sequence(), stand.changes(), items, ticker.read(), last)) {
      case NOTHING -> {}
      case MOVE -> move(stand);
      case WRITE -> write(stand, mostBytes);
      case DELETE -> {
        dumps.delete(partition);
        plan.deleted();
      }
    }
  }

  private void move(PartitionIndex.Stand stand) throws IOException {
    DumpHeader there = kept;
    if (there != null) {
      boolean passed = there.seen().sequence() <= stand.at().sequence();
      DumpHeader moved = there.as(stand.at(), passed ? stand.at() : there.seen());
      dumps.move(partition, moved);
      kept(moved, stand);
    }
  }

  private void write(PartitionIndex.Stand stand, long mostBytes) throws IOException {
    long bytes = index.dumpBytes();
    if (bytes > mostBytes) {
      log.info("no time is left to dump the index of {}: {} MiB", partition, bytes >> 20);
      return;
    }
    long begun = ticker.read();
    plan.begins(begun);
    try (NewDump dump = dumps.begin(partition, bytes)) {
      dump.write(index.spaces());
      // What was seen while it was written may be in. Where the index gets there it is proven that
      // all of it is of one log, so that the header need not say more than the last of it.
      LogPosition seen = index.seen();
      if (getsTo(seen) && index.isStill(stand)) {
        DumpHeader written = dump.commit(stand.epoch(), stand.at(), seen);
        kept(written, stand);
        log.debug(
            "wrote the index of {}: {} items, {} bytes, {} ms",
            partition,
            written.items(),
            written.length(),
            TimeUnit.NANOSECONDS.toMillis(ticker.read() - begun));
      }
    }
  }

  private boolean getsTo(LogPosition place) {
    try {
      index.reached(place.sequence()).get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
      return true;
    } catch (ExecutionException | TimeoutException e) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private void kept(DumpHeader header, PartitionIndex.Stand stand) {
    kept = header;
    plan.kept(stand.at().sequence(), stand.changes(), ticker.read());
  }
}
