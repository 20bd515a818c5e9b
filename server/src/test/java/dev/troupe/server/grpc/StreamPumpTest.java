package dev.troupe.server.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.base.Ticker;
import com.google.protobuf.ByteString;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.log.LogEntry;
import dev.troupe.server.log.LogPosition;
import dev.troupe.server.log.LogReader;
import dev.troupe.server.log.LogReader.Page;
import dev.troupe.server.log.PartitionLogs.LogHead;
import dev.troupe.server.log.ResumePoint;
import dev.troupe.v1.ErrorReason;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** One stream by the clock: when it speaks though nothing happens, and whom it sends away. */
final class StreamPumpTest {

  private static final Duration TICK = Duration.ofMillis(250);
  private static final Duration CHECKPOINT = Duration.ofSeconds(1);
  private static final Duration SLOW = Duration.ofSeconds(3);

  private final Clock clock = new Clock();
  private final Caller caller = new Caller();
  private final Log log = new Log();
  private final StreamPump<Said> pump = begin(caller, log, 7);

  /** A message, and where its token stands. */
  private record Said(String what, @Nullable LogHead stands) {}

  @Test
  void aQuietStreamSaysWhereItStandsOncePerInterval() {
    for (int i = 0; i < 40; i++) {
      tick();
    }
    assertThat(caller.said("checkpoint")).hasSizeBetween(9, 10);
  }

  @Test
  void oneThatSendsNeedNot() {
    for (int i = 1; i <= 40; i++) {
      log.bring(page(i, i));
      tick();
    }
    assertThat(caller.said("entries")).hasSize(40);
    assertThat(caller.said("checkpoint")).isEmpty();
  }

  @Test
  void whoTakesLittleIsNotSlow() {
    log.lag = 1000;
    for (int i = 1; i <= 40; i++) {
      caller.ready(true);
      log.bring(page(i, i));
      caller.ready(false);
      tick();
    }
    assertThat(caller.failure).isNull();
    assertThat(caller.said("entries")).hasSize(40);
  }

  @Test
  void whoTakesNothingIsSlow() {
    log.lag = 1000;
    caller.ready(false);
    for (int i = 0; i < 12; i++) {
      tick();
    }
    assertThat(caller.failure).isNull();
    tick();
    assertThat(caller.failure).isNotNull();
    assertThat(Status.fromThrowable(caller.failure).getCode())
        .isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    assertThat(log.closed).isTrue();
  }

  @Test
  void whoHasNothingToTakeIsNotSlow() {
    caller.ready(false);
    for (int i = 0; i < 40; i++) {
      tick();
    }
    assertThat(caller.failure).isNull();
  }

  @Test
  void aTokenNamesTheLogThatItsPlaceIsIn() {
    log.bring(page(1, 3));
    caller.ready(false);
    // The reader is in another log already, and the caller has heard of nothing of it.
    log.epoch = 8;
    log.bring(page(1, 1));
    pump.end(TroupeException.of(ErrorReason.ERROR_REASON_SHUTTING_DOWN, "the server stops"));
    assertThat(caller.last()).isEqualTo(new Said("goAway", new LogHead(position(3), 7)));
  }

  @Test
  void aTokenNamesTheLogOfWhatWasSent() {
    log.bring(page(1, 3));
    log.epoch = 8;
    log.bring(page(1, 1));
    assertThat(caller.last()).isEqualTo(new Said("entries", new LogHead(position(1), 8)));
    pump.end(TroupeException.of(ErrorReason.ERROR_REASON_SHUTTING_DOWN, "the server stops"));
    assertThat(caller.last()).isEqualTo(new Said("goAway", new LogHead(position(1), 8)));
  }

  @Test
  void aTokenNamesTheLogAsSoonAsItIsKnown() {
    Caller early = new Caller();
    begin(early, new Log(), 0);
    assertThat(early.last()).isEqualTo(new Said("caughtUp", new LogHead(position(0), 7)));
  }

  @Test
  void whatFailsOnTheWayOfAPageEndsTheStream() {
    log.fail(new IllegalStateException("on purpose"));
    assertThat(caller.failure).isNotNull();
    assertThat(log.closed).isTrue();
  }

  private StreamPump<Said> begin(Caller to, Log from, long epoch) {
    StreamPump<Said> begun =
        new StreamPump<>(
            to, new StreamPace(CHECKPOINT, SLOW), false, Runnable::run, clock, over -> {});
    ResumePoint point = ResumePoint.of("ns", "test", Map.of(0, new LogHead(position(0), epoch)));
    StreamRules rules = new StreamRules(WhenBehind.CATCH_UP, Long.MAX_VALUE, null);
    begun.begin(new Format(), point, Map.of(0, from), rules);
    from.bring(Page.of(List.of(), true));
    assertThat(to.said("caughtUp")).hasSize(1);
    return begun;
  }

  private void tick() {
    clock.nanos += TICK.toNanos();
    pump.tick();
  }

  private static LogPosition position(long i) {
    return new LogPosition(10 + i, 0, i);
  }

  private static Page page(long from, long to) {
    return Page.of(
        LongStream.rangeClosed(from, to)
            .mapToObj(i -> new LogEntry(0, position(i), "topic", "", "", ByteString.EMPTY, 0))
            .toList(),
        true);
  }

  private static final class Clock extends Ticker {
    long nanos;

    @Override
    public long read() {
      return nanos;
    }
  }

  /** A log whose pages come when a test says so. */
  private static final class Log implements LogReader {
    private CompletableFuture<Page> asked = new CompletableFuture<>();
    private LogPosition at = StreamPumpTest.position(0);
    long epoch = 7;
    long lag;
    boolean closed;

    void bring(Page page) {
      List<LogEntry> entries = page.entries();
      if (!entries.isEmpty()) {
        at = entries.get(entries.size() - 1).position();
      }
      asked.complete(page);
    }

    void fail(Throwable failure) {
      asked.completeExceptionally(failure);
    }

    @Override
    public CompletionStage<Page> next(int max, long bytes) {
      asked = new CompletableFuture<>();
      return asked;
    }

    @Override
    public LogPosition position() {
      return at;
    }

    @Override
    public long epoch() {
      return epoch;
    }

    @Override
    public long lag() {
      return lag;
    }

    @Override
    public void close() {
      closed = true;
    }
  }

  private static final class Caller extends ServerCallStreamObserver<Said> {
    final List<Said> heard = new ArrayList<>();
    private Runnable onReady = () -> {};
    private boolean ready = true;
    @Nullable Throwable failure;

    void ready(boolean now) {
      boolean becomes = now && !ready;
      ready = now;
      if (becomes) {
        onReady.run();
      }
    }

    List<Said> said(String what) {
      return heard.stream().filter(each -> each.what().equals(what)).toList();
    }

    Said last() {
      return heard.get(heard.size() - 1);
    }

    @Override
    public void onNext(Said message) {
      heard.add(message);
    }

    @Override
    public void onError(Throwable fault) {
      failure = fault;
    }

    @Override
    public void onCompleted() {}

    @Override
    public boolean isReady() {
      return ready;
    }

    @Override
    public void setOnReadyHandler(Runnable handler) {
      onReady = handler;
    }

    @Override
    public boolean isCancelled() {
      return false;
    }

    @Override
    public void setOnCancelHandler(Runnable handler) {}

    @Override
    public void setOnCloseHandler(Runnable handler) {}

    @Override
    public void setCompression(String compression) {}

    @Override
    public void disableAutoInboundFlowControl() {}

    @Override
    public void request(int count) {}

    @Override
    public void setMessageCompression(boolean enable) {}
  }

  private static final class Format implements StreamFormat<Said> {

    private static Said said(String what, String token) {
      return new Said(what, ResumePoint.parse("ns", "test", token).positions().get(0));
    }

    @Override
    public boolean wants(LogEntry entry) {
      return true;
    }

    @Override
    public int batchSize() {
      return 64;
    }

    @Override
    public Said entries(Batch batch) {
      return said("entries", batch.resumeToken());
    }

    @Override
    public Said started(String token) {
      return said("started", token);
    }

    @Override
    public Said caughtUp(String token) {
      return said("caughtUp", token);
    }

    @Override
    public Said checkpoint(long lag, String token) {
      return said("checkpoint", token);
    }

    @Override
    public Said fellBehind(long lag, String token) {
      return said("fellBehind", token);
    }

    @Override
    public Said gap(Hole hole, String token) {
      return said("gap", token);
    }

    @Override
    public Said goAway(ErrorReason reason, Duration retryAfter, String token) {
      return said("goAway", token);
    }
  }
}
