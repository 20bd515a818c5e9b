package dev.troupe.server.grpc;

import com.google.common.base.Ticker;
import dev.troupe.server.error.TroupeException;
import io.grpc.stub.ServerCallStreamObserver;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * All streams of log entries of this server, with one timer for all of them. Thread-safe.
 *
 * <p>When the server stops, each stream gets a message with its resume token, then {@code
 * SHUTTING_DOWN}.
 */
public final class StreamPumps {

  private static final Duration TICK = Duration.ofMillis(250);
  private static final Duration RETRY_ELSEWHERE = Duration.ofMillis(500);

  private final Set<StreamPump<?>> pumps = ConcurrentHashMap.newKeySet();
  private final ScheduledExecutorService timers;
  private final Ticker ticker;
  private final Future<?> timer;
  private volatile boolean stopping;

  /**
   * No stream yet.
   *
   * @param timers runs a short job four times a second, and wakes streams: best the event loops, of
   *     which each then writes to its own connections
   */
  public StreamPumps(ScheduledExecutorService timers, Ticker ticker) {
    this.timers = timers;
    this.ticker = ticker;
    this.timer =
        timers.scheduleWithFixedDelay(
            () -> pumps.forEach(StreamPump::tick),
            TICK.toMillis(),
            TICK.toMillis(),
            TimeUnit.MILLISECONDS);
  }

  /**
   * Takes charge of a call. To be called before the service's method returns, as gRPC takes its
   * handlers only until then; {@link StreamPump#begin} or {@link StreamPump#end} has to follow.
   */
  public <T> StreamPump<T> open(ServerCallStreamObserver<T> call, StreamPace pace) {
    return open(call, pace, false);
  }

  /** The same for a caller that has to {@link StreamPump#allow allow} what is sent. */
  public <T> StreamPump<T> openWithCredits(ServerCallStreamObserver<T> call, StreamPace pace) {
    return open(call, pace, true);
  }

  private <T> StreamPump<T> open(
      ServerCallStreamObserver<T> call, StreamPace pace, boolean credited) {
    StreamPump<T> pump =
        new StreamPump<>(call, pace, credited, EventLoops.current(timers), ticker, pumps::remove);
    pumps.add(pump);
    if (stopping) {
      pump.end(shuttingDown());
    }
    return pump;
  }

  /** How many streams are open. */
  public int open() {
    return pumps.size();
  }

  /** Ends all streams, and those still to be opened; complete when the last message is sent. */
  public CompletionStage<@Nullable Void> stop() {
    stopping = true;
    CompletableFuture<?>[] ends =
        pumps.stream().map(pump -> pump.end(shuttingDown())).toArray(CompletableFuture<?>[]::new);
    return CompletableFuture.allOf(ends)
        .whenComplete((done, failure) -> timer.cancel(false))
        .thenApply(done -> null);
  }

  private static TroupeException shuttingDown() {
    return TroupeException.shuttingDown("resume on another one", RETRY_ELSEWHERE);
  }
}
