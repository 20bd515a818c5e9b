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
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;
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
public final class StreamPump<T> implements StreamSource.Owner {

  private static final Logger log = LoggerFactory.getLogger(StreamPump.class);

  // Fields and not objects of their own: of a thousand streams that are woken at once nothing is in
  // the processor's caches any more, and each object is another wait for memory.
  @SuppressWarnings("rawtypes")
  private static final AtomicIntegerFieldUpdater<StreamPump> WORK =
      AtomicIntegerFieldUpdater.newUpdater(StreamPump.class, "work");

  @SuppressWarnings("rawtypes")
  private static final AtomicReferenceFieldUpdater<StreamPump, Throwable> ENDING =
      AtomicReferenceFieldUpdater.newUpdater(StreamPump.class, Throwable.class, "ending");

  private final ServerCallStreamObserver<T> call;
  private final StreamPace pace;
  private final Executor home;
  private final Ticker ticker;
  private final Consumer<StreamPump<T>> onEnd;
  private final CompletableFuture<@Nullable Void> ended = new CompletableFuture<>();
  private volatile int work;
  private final boolean credited;
  private final AtomicLong credits = new AtomicLong();
  private volatile @Nullable Throwable ending;
  private volatile boolean cancelled;
  private volatile boolean lastCredits;
  private volatile boolean ticked;
  private volatile @Nullable Begin<T> begin;

  // What follows belongs to whoever is in turn(), one thread at a time.
  private List<StreamSource> sources = List.of();
  private @Nullable Begin<T> begun;
  private boolean caughtUp;
  private boolean over;
  private int nextSource;
  private boolean sent;
  private long lastSentNanos;
  private long stuckSinceNanos;
  private boolean stuck;

  private record Begin<T>(
      StreamFormat<T> format,
      ResumePoint point,
      Map<Integer, LogReader> readers,
      StreamRules rules,
      @Nullable StreamEnd end) {}

  StreamPump(
      ServerCallStreamObserver<T> call,
      StreamPace pace,
      boolean credited,
      Executor home,
      Ticker ticker,
      Consumer<StreamPump<T>> onEnd) {
    this.call = call;
    this.pace = pace;
    this.credited = credited;
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
    StreamEnd end = rules.until() == null ? null : new StreamEnd(rules.until(), ticker, this::pump);
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
    ENDING.compareAndSet(this, null, failure);
    pump();
    return ended;
  }

  @Override
  public void arrived() {
    pump();
  }

  @Override
  public void failed(Throwable failure) {
    end(failure);
  }

  /** Time has passed. Only then is the clock looked at, not with each message. */
  void tick() {
    ticked = true;
    pump();
  }

  private void pump() {
    if (WORK.getAndIncrement(this) != 0) {
      return;
    }
    int seen;
    do {
      seen = work;
      try {
        turn();
      } catch (RuntimeException | Error fault) {
        if (!over) {
          finish();
          fail(fault);
        }
      }
    } while (WORK.addAndGet(this, -seen) != 0);
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
    Throwable failure = ending;
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
    if (!over && !endsNow(standing) && ticked) {
      ticked = false;
      lookAtClock(standing);
    }
  }

  private void lookAtClock(Begin<T> standing) {
    boolean ready = call.isReady();
    if (sent || ready) {
      stuck = false;
    }
    if (sent) {
      sent = false;
      lastSentNanos = ticker.read();
    }
    if (!ready) {
      dropIfSlow();
    } else if (since(lastSentNanos).compareTo(pace.checkpointEvery()) >= 0) {
      send(standing.format.checkpoint(lag(), token(standing)));
      sent = false;
      lastSentNanos = ticker.read();
    }
    dropIfOverrun(standing);
  }

  private boolean mayRead() {
    return hasCredits() && call.isReady();
  }

  private boolean hasCredits() {
    return !credited || credits.get() > 0;
  }

  /** The token for where the stream stands. */
  private String token(Begin<T> standing) {
    for (StreamSource source : sources) {
      source.mark(standing.point);
    }
    return standing.point.token();
  }

  private @Nullable Begin<T> start() {
    Begin<T> given = begin;
    if (given == null || !mayRead()) {
      return null;
    }
    begun = given;
    Map<Integer, LogHead> positions = given.point.positions();
    List<StreamSource> opened = new ArrayList<>();
    given.readers.forEach(
        (partition, reader) -> {
          LogHead from = positions.get(partition);
          if (from == null) {
            throw new IllegalStateException("no position in partition " + partition);
          }
          long endMillis = given.rules.endMillis();
          opened.add(new StreamSource(partition, reader, from, endMillis, this));
        });
    sources = List.copyOf(opened);
    lastSentNanos = ticker.read();
    send(given.format.started(token(given)));
    askForEnd(given);
    return given;
  }

  private void completeWithoutCredits() {
    if (lastCredits && !hasCredits()) {
      finish();
      call.onCompleted();
    }
  }

  /** Whether it was time for it to end, with a token to go on from. */
  private boolean endsNow(Begin<T> standing) {
    askForEnd(standing);
    boolean usedUp = lastCredits && !hasCredits();
    boolean done = isDone();
    if (!usedUp && !done) {
      return false;
    }
    T last = standing.format.checkpoint(done ? 0 : lag(), token(standing));
    finish();
    send(last);
    call.onCompleted();
    return true;
  }

  private void askForEnd(Begin<T> standing) {
    if (standing.end != null) {
      standing.end.ask(sources);
    }
  }

  private boolean isDone() {
    for (StreamSource source : sources) {
      if (!source.isDone()) {
        return false;
      }
    }
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
        source.fetch();
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
      tell(standing, source.hole(page));
    }
    StreamFormat<T> format = standing.format;
    int most = credited ? (int) Math.min(format.batchSize(), credits.get()) : format.batchSize();
    Slice slice = source.rest(page, most);
    if (slice != null) {
      Portion<T> portion =
          format.portion(
              slice,
              position -> {
                source.stand(position, slice.epoch());
                return token(standing);
              });
      source.passed(slice, portion.next(), portion.count() > 0);
      if (portion.count() > 0) {
        send(portion.message());
        use(portion.count());
      }
    }
    if (source.isSent(page)) {
      source.finished(page);
      if (!caughtUp && sources.stream().allMatch(StreamSource::isLive)) {
        caughtUp = true;
        send(format.caughtUp(token(standing)));
      }
    }
  }

  private void use(int count) {
    if (credited) {
      credits.addAndGet(-count);
    }
  }

  private void fallBehind(Begin<T> standing, StreamSource source) {
    StreamFormat<T> format = standing.format;
    switch (standing.rules.whenBehind()) {
      case CATCH_UP -> {
        source.fellBehind();
        caughtUp = false;
        send(format.fellBehind(lag(), token(standing)));
      }
      case DISCONNECT -> sayGoodbye(tooSlow());
      case DROP_OLDEST -> tell(standing, source.dropOldest());
      case CONFLATE -> tell(standing, source.conflate(format::wants));
    }
  }

  private void tell(Begin<T> standing, Hole hole) {
    if (hole.lack() != StreamFormat.Lack.SLOW || hole.to() != hole.from()) {
      send(standing.format.gap(hole, token(standing)));
    }
  }

  private long lag() {
    return sources.stream().mapToLong(StreamSource::lag).sum();
  }

  private void dropIfSlow() {
    boolean waiting = hasCredits() && lag() > 0;
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
    T goodbye = null;
    if (standing != null && failure instanceof TroupeException refusal) {
      goodbye =
          standing.format.goAway(
              refusal.reason(), refusal.retryAfter().orElse(Duration.ZERO), token(standing));
    }
    finish();
    send(goodbye);
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
    sources = List.of();
  }

  private void send(@Nullable T message) {
    if (message != null) {
      call.onNext(message);
      sent = true;
    }
  }

  private Duration since(long nanos) {
    return Duration.ofNanos(ticker.read() - nanos);
  }
}
