package dev.troupe.server.memory;

import com.google.common.base.Ticker;
import com.google.inject.Inject;
import java.util.concurrent.TimeUnit;

/**
 * About what the clock of Redis shows, without asking it: what it showed last, and what passed
 * since. Good enough to leave out what has ended; what is returned is read from Redis anyway.
 * Thread-safe.
 */
final class RedisClock {

  private final Ticker ticker;
  private volatile Sight last = new Sight(0, 0);

  private record Sight(long micros, long nanos) {}

  @Inject
  RedisClock(Ticker ticker) {
    this.ticker = ticker;
  }

  /** Takes note of what it shows. */
  void observe(long micros) {
    last = new Sight(micros, ticker.read());
  }

  /** Microseconds since 1970; too few when it was never seen. */
  long micros() {
    Sight sight = last;
    return sight.micros + TimeUnit.NANOSECONDS.toMicros(ticker.read() - sight.nanos);
  }
}
