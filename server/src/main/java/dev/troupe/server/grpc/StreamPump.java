package dev.troupe.server.grpc;

import com.google.common.base.Ticker;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.grpc.StreamFormat.Hole;
import dev.troupe.server.grpc.StreamFormat.Portion;
import dev.troupe.server.grpc.StreamFormat.Slice;
import dev.troupe.server.log.LogReader;
import dev.troupe.server.log.LogReader.Page;
import dev.troupe.server.log.PartitionLogs.LogHead;
import dev.troupe.server.log.ResumePoint;
import dev.troupe.v1.ErrorReason;
import io.grpc.stub.ServerCallStreamObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One stream of log entries: merges readers of several partitions, filters, and sends as fast as
 * the caller takes. It has no queue: it reads on only when the caller is ready and has credits
 * left, so that one who takes nothing costs nothing, and is sent away with its resume token after a
 * while.
 *
 * <p>Pages, readiness, credits, ticks and the end arrive on any thread; {@link #pump} makes one of
 * them do the work of all.
 *
 * @param <T> the message
 */
public final class StreamPump<T> {

  private static final Logger log = LoggerFactory.getLogger(StreamPump.class);

  private final ServerCallStreamObserver<T> call;
  private final StreamPace pace;
  private final Executor home;
  private final Ticker ticker;
  private final Consumer<StreamPump<T>> onEnd;
  private final CompletableFuture<@Nullable Void> ended = new CompletableFuture<>();
  private final AtomicInteger work = new AtomicInteger();
  private final AtomicLong credits;
  private final AtomicReference<@Nullable Throwable> ending = new AtomicReference<>();
  private volatile boolean cancelled;
  private volatile boolean lastCredits;
  private volatile @Nullable Begin<T> begin;

  // What follows belongs to whoever is in turn(), one thread at a time.
  private final List<StreamSource> sources = new ArrayList<>();
  private @Nullable Begin<T> begun;
  private boolean caughtUp;
  private boolean over;
  private int nextSource;
  private long lastSentNanos;
  private long stuckSinceNanos;
  private boolean stuck;

  private record Begin<T>(
      StreamFormat<T> format,
      ResumePoint point,
      Map<Integer, LogReader> readers,
      StreamRules rules,
      StreamEnd end) {}

  StreamPump(
      ServerCallStreamObserver<T> call,
      StreamPace pace,
      boolean credited,
      Executor home,
      Ticker ticker,
      Consumer<StreamPump<T>> onEnd) {
    this.call = call;
    this.pace = pace;
    this.credits = new AtomicLong(credited ? 0 : Long.MAX_VALUE);
    this.home = home;
    this.ticker = ticker;
    this.onEnd = onEnd;
    call.setOnReadyHandler(this::pump);
    call.setOnCancelHandler(this::cancelled);
    // Also when gRPC ended the call itself, as when a message cannot be written.
    call.setOnCloseHandler(this::cancelled);
  }

  private void cancelled() {
    cancelled = true;
    pump();
  }

  /**
   * Begins to send. The readers are the pump's from now on; it closes them.
   *
   * @param readers by partition, each standing where the point says
   */
  public void begin(
      StreamFormat<T> format,
      ResumePoint from,
      Map<Integer, LogReader> readers,
      StreamRules rules) {
    readers.values().forEach(reader -> reader.wakeOn(home));
    StreamEnd end = new StreamEnd(rules, ticker, this::pump);
    begin = new Begin<>(format, from, Map.copyOf(readers), rules, end);
    pump();
  }

  /** So many entries more may be sent. */
  public void allow(int more) {
    credits.addAndGet(more);
    pump();
  }

  /** The stream ends when the credits it has are used up. */
  public void allowNoMore() {
    lastCredits = true;
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
          fail(fault);
        }
      }
    } while (work.addAndGet(-seen) != 0);
  }

  /** The timer of all streams goes on whatever became of this one's call. */
  private void fail(Throwable fault) {
    try {
      call.onError(StatusMapper.toStatus(fault));
    } catch (RuntimeException closed) {
      log.debug("a stream had ended before it failed", closed);
    }
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
    Begin<T> standing = begun;
    if (failure != null) {
      sayGoodbye(failure);
      return;
    }
    if (standing == null) {
      standing = start();
      if (standing == null) {
        completeWithoutCredits();
        return;
      }
    }
    while (!over && mayRead() && sendSome(standing)) {
      continue;
    }
    if (over || endsNow(standing)) {
      return;
    }
    if (call.isReady()) {
      stuck = false;
      if (since(lastSentNanos).compareTo(pace.checkpointEvery()) >= 0) {
        send(standing.format.checkpoint(lag(), standing.point.token()));
        lastSentNanos = ticker.read();
      }
    } else {
      dropIfSlow();
    }
    dropIfOverrun(standing);
  }

  private boolean mayRead() {
    return credits.get() > 0 && call.isReady();
  }

  private @Nullable Begin<T> start() {
    Begin<T> given = begin;
    if (given == null || !mayRead()) {
      return null;
    }
    begun = given;
    Map<Integer, LogHead> positions = given.point.positions();
    given.readers.forEach(
        (partition, reader) -> {
          LogHead from = positions.get(partition);
          if (from == null) {
            throw new IllegalStateException("no position in partition " + partition);
          }
          sources.add(new StreamSource(partition, reader, from, given.rules.endMillis()));
        });
    lastSentNanos = ticker.read();
    send(given.format.started(given.point.token()));
    given.end.ask(sources);
    return given;
  }

  private void completeWithoutCredits() {
    if (lastCredits && credits.get() == 0) {
      finish();
      call.onCompleted();
    }
  }

  /** Whether it was time for it to end, with a token to go on from. */
  private boolean endsNow(Begin<T> standing) {
    standing.end.ask(sources);
    boolean usedUp = lastCredits && credits.get() == 0;
    boolean done = sources.stream().allMatch(StreamSource::isDone);
    if (!usedUp && !done) {
      return false;
    }
    long lag = done ? 0 : lag();
    finish();
    send(standing.format.checkpoint(lag, standing.point.token()));
    call.onCompleted();
    return true;
  }

  /**
   * Sends at most one message of entries; false when there is nothing to do before a page comes.
   */
  private boolean sendSome(Begin<T> standing) {
    for (int i = 0; i < sources.size(); i++) {
      StreamSource source = sources.get(nextSource);
      nextSource = (nextSource + 1) % sources.size();
      Page page = source.page();
      if (page == null) {
        source.fetch(this::pump, this::end);
        page = source.page();
      }
      if (page != null) {
        sendFrom(standing, source, page);
        return true;
      }
    }
    return false;
  }

  private void sendFrom(Begin<T> standing, StreamSource source, Page page) {
    if (page.overrun() != 0) {
      source.finished(page);
      fallBehind(standing, source);
      return;
    }
    if (page.epochChanged() || page.missed() != 0) {
      tell(standing, source, source.hole(page));
    }
    StreamFormat<T> format = standing.format;
    int most = (int) Math.min(format.batchSize(), credits.get());
    Slice slice = source.rest(page, most);
    if (slice != null) {
      Portion<T> portion =
          format.portion(
              slice,
              position -> {
                standing.point.move(slice.partition(), position, slice.epoch());
                return standing.point.token();
              });
      source.passed(slice.page(), portion.next(), portion.count() > 0);
      standing.point.move(slice.partition(), source.at(), slice.epoch());
      if (portion.count() > 0) {
        send(portion.message());
        use(portion.count());
      }
    }
    if (source.isSent(page)) {
      source.finished(page);
      standing.point.move(source.partition, source.at(), source.reader.epoch());
      if (!caughtUp && sources.stream().allMatch(StreamSource::isLive)) {
        caughtUp = true;
        send(format.caughtUp(standing.point.token()));
      }
    }
  }

  /** A stream without credits has as many as it will ever need. */
  private void use(int count) {
    credits.addAndGet(-count);
  }

  private void fallBehind(Begin<T> standing, StreamSource source) {
    StreamFormat<T> format = standing.format;
    switch (standing.rules.whenBehind()) {
      case CATCH_UP -> {
        source.fellBehind();
        caughtUp = false;
        send(format.fellBehind(lag(), standing.point.token()));
      }
      case DISCONNECT -> sayGoodbye(tooSlow());
      case DROP_OLDEST -> tell(standing, source, source.dropOldest());
      case CONFLATE -> tell(standing, source, source.conflate(format::wants));
    }
  }

  private void tell(Begin<T> standing, StreamSource source, Hole hole) {
    standing.point.move(source.partition, source.at(), source.reader.epoch());
    if (hole.lack() != StreamFormat.Lack.SLOW || hole.to() != hole.from()) {
      send(standing.format.gap(hole, standing.point.token()));
    }
  }

  private long lag() {
    return sources.stream().mapToLong(StreamSource::lag).sum();
  }

  private void dropIfSlow() {
    boolean waiting = credits.get() > 0 && lag() > 0;
    if (!waiting || !stuck) {
      stuck = waiting;
      stuckSinceNanos = ticker.read();
    } else if (since(stuckSinceNanos).compareTo(pace.slowAfter()) >= 0) {
      sayGoodbye(tooSlow());
    }
  }

  /** Who wants to be disconnected shall not have to come back first to hear of it. */
  private void dropIfOverrun(Begin<T> standing) {
    if (!over
        && standing.rules.whenBehind() == WhenBehind.DISCONNECT
        && sources.stream().anyMatch(source -> source.reader.isOverrun())) {
      sayGoodbye(tooSlow());
    }
  }

  private static TroupeException tooSlow() {
    return TroupeException.of(
        ErrorReason.ERROR_REASON_SLOW_CONSUMER,
        "the caller did not keep up; resume with the last token");
  }

  private void sayGoodbye(Throwable failure) {
    Begin<T> standing = begun;
    finish();
    if (standing != null && failure instanceof TroupeException refusal) {
      send(
          standing.format.goAway(
              refusal.reason(),
              refusal.retryAfter().orElse(Duration.ZERO),
              standing.point.token()));
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
    Begin<T> given = begin;
    if (given != null) {
      given.readers.values().forEach(LogReader::close);
    }
    sources.clear();
  }

  private void send(@Nullable T message) {
    if (message != null) {
      call.onNext(message);
      lastSentNanos = ticker.read();
    }
  }

  private Duration since(long nanos) {
    return Duration.ofNanos(ticker.read() - nanos);
  }
}
