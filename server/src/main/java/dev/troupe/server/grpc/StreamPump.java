package dev.troupe.server.grpc;

import com.google.common.base.Ticker;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.grpc.StreamFormat.Delivery;
import dev.troupe.server.log.LogEntry;
import dev.troupe.server.log.LogReader;
import dev.troupe.server.log.LogReader.Page;
import dev.troupe.server.log.ResumePoint;
import dev.troupe.v1.ErrorReason;
import io.grpc.stub.ServerCallStreamObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One stream of log entries: merges readers of several partitions, filters, and sends as fast as
 * the caller takes. It holds at most one page per partition; a caller that takes nothing for too
 * long is sent away with its resume token.
 *
 * <p>Pages, readiness, ticks and the end arrive on any thread; {@link #pump} makes one of them do
 * the work of all.
 *
 * @param <T> the message
 */
public final class StreamPump<T> {

  private static final int PAGE = 256;
  private static final int MESSAGE_BYTES = 32 << 10;

  private final ServerCallStreamObserver<T> call;
  private final StreamFormat<T> format;
  private final StreamPace pace;
  private final Ticker ticker;
  private final Consumer<StreamPump<T>> onEnd;
  private final CompletableFuture<@Nullable Void> ended = new CompletableFuture<>();
  private final AtomicInteger work = new AtomicInteger();
  private final AtomicReference<@Nullable Throwable> ending = new AtomicReference<>();
  private volatile boolean cancelled;
  private volatile @Nullable Begin begin;

  // What follows belongs to whoever is in turn(), one thread at a time.
  private final List<Source> sources = new ArrayList<>();
  private @Nullable ResumePoint point;
  private boolean caughtUp;
  private boolean over;
  private int nextSource;
  private long lastSentNanos;
  private long stuckSinceNanos;
  private boolean stuck;

  private record Begin(ResumePoint point, Map<Integer, LogReader> readers) {}

  /** A partition's reader and the page of it that is being sent. */
  private static final class Source {
    final int partition;
    final LogReader reader;
    volatile @Nullable Page arrived;
    int sent;
    boolean live;

    Source(int partition, LogReader reader) {
      this.partition = partition;
      this.reader = reader;
    }
  }

  StreamPump(
      ServerCallStreamObserver<T> call,
      StreamFormat<T> format,
      StreamPace pace,
      Ticker ticker,
      Consumer<StreamPump<T>> onEnd) {
    this.call = call;
    this.format = format;
    this.pace = pace;
    this.ticker = ticker;
    this.onEnd = onEnd;
    call.setOnReadyHandler(this::pump);
    call.setOnCancelHandler(
        () -> {
          cancelled = true;
          pump();
        });
  }

  /**
   * Begins to send. The readers are the pump's from now on; it closes them.
   *
   * @param readers by partition, each standing where the point says
   */
  public void begin(ResumePoint from, Map<Integer, LogReader> readers) {
    begin = new Begin(from, Map.copyOf(readers));
    pump();
  }

  /** Ends the stream: the last message with the resume token, then the status of the failure. */
  public CompletableFuture<@Nullable Void> end(Throwable failure) {
    ending.compareAndSet(null, failure);
    pump();
    return ended;
  }

  void tick() {
    pump();
  }

  private void pump() {
    if (work.getAndIncrement() != 0) {
      return;
    }
    int seen;
    do {
      seen = work.get();
      try {
        turn();
      } catch (RuntimeException | Error fault) {
        if (!over) {
          finish();
          call.onError(StatusMapper.toStatus(fault));
        }
      }
    } while (work.addAndGet(-seen) != 0);
  }

  private void turn() {
    if (over) {
      // A stream may end before it began.
      closeReaders();
      return;
    }
    if (cancelled) {
      finish();
      return;
    }
    Throwable failure = ending.get();
    if (failure != null) {
      sayGoodbye(failure);
      return;
    }
    if (point == null && !start()) {
      return;
    }
    boolean more = true;
    while (more && call.isReady()) {
      more = sendSome();
    }
    if (call.isReady()) {
      stuck = false;
      if (since(lastSentNanos).compareTo(pace.checkpointEvery()) >= 0) {
        send(format.checkpoint(token()));
        lastSentNanos = ticker.read();
      }
    } else {
      dropIfSlow();
    }
  }

  private boolean start() {
    Begin given = begin;
    if (given == null || !call.isReady()) {
      return false;
    }
    point = given.point();
    given.readers().forEach((partition, reader) -> sources.add(new Source(partition, reader)));
    lastSentNanos = ticker.read();
    send(format.started(token()));
    sources.forEach(this::fetch);
    return true;
  }

  private void fetch(Source source) {
    source.sent = 0;
    source
        .reader
        .next(PAGE)
        .whenComplete(
            (page, failure) -> {
              if (failure != null) {
                end(failure);
              } else {
                source.arrived = page;
                pump();
              }
            });
  }

  /**
   * Sends at most one message of entries; false when there is nothing to do before a page comes.
   */
  private boolean sendSome() {
    for (int i = 0; i < sources.size(); i++) {
      Source source = sources.get(nextSource);
      nextSource = (nextSource + 1) % sources.size();
      Page page = source.arrived;
      if (page != null) {
        sendFrom(source, page);
        return true;
      }
    }
    return false;
  }

  private void sendFrom(Source source, Page page) {
    if (page.epochChanged() || page.missed() != 0) {
      point().move(source.partition, source.reader.position(), source.reader.epoch());
      send(format.gap(page.epochChanged(), Math.max(0, page.missed()), token()));
    }
    long epoch = source.reader.epoch();
    List<LogEntry> entries = page.entries();
    List<Delivery> deliveries = new ArrayList<>();
    int bytes = 0;
    while (source.sent < entries.size()
        && deliveries.size() < format.batchSize()
        && bytes < MESSAGE_BYTES) {
      LogEntry entry = entries.get(source.sent++);
      point().move(source.partition, entry.position(), epoch);
      if (format.wants(entry)) {
        deliveries.add(new Delivery(source.partition, entry, token()));
        bytes += entry.data().size();
      }
    }
    if (!deliveries.isEmpty()) {
      send(format.entries(deliveries));
    }
    if (source.sent == entries.size()) {
      source.live |= page.live();
      source.arrived = null;
      fetch(source);
      if (!caughtUp && sources.stream().allMatch(each -> each.live)) {
        caughtUp = true;
        send(format.caughtUp(token()));
      }
    }
  }

  private void dropIfSlow() {
    boolean waiting = sources.stream().anyMatch(source -> source.arrived != null);
    if (!waiting || !stuck) {
      stuck = waiting;
      stuckSinceNanos = ticker.read();
    } else if (since(stuckSinceNanos).compareTo(pace.slowAfter()) >= 0) {
      sayGoodbye(
          TroupeException.of(
              ErrorReason.ERROR_REASON_SLOW_CONSUMER,
              "the caller took nothing for too long; resume with the last token"));
    }
  }

  private void sayGoodbye(Throwable failure) {
    boolean begun = point != null;
    String token = begun ? token() : "";
    finish();
    if (begun && failure instanceof TroupeException refusal) {
      send(format.goAway(refusal.reason(), refusal.retryAfter().orElse(Duration.ZERO), token));
    }
    call.onError(StatusMapper.toStatus(failure));
  }

  private void finish() {
    over = true;
    closeReaders();
    onEnd.accept(this);
    ended.complete(null);
  }

  private void closeReaders() {
    Begin given = begin;
    if (given != null) {
      given.readers().values().forEach(LogReader::close);
    }
    sources.clear();
  }

  private void send(@Nullable T message) {
    if (message != null) {
      call.onNext(message);
      lastSentNanos = ticker.read();
    }
  }

  private ResumePoint point() {
    ResumePoint standing = point;
    if (standing == null) {
      throw new IllegalStateException("the stream has not begun");
    }
    return standing;
  }

  private String token() {
    return point().token();
  }

  private Duration since(long nanos) {
    return Duration.ofNanos(ticker.read() - nanos);
  }
}
