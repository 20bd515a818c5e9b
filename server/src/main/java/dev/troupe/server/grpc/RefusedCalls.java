package dev.troupe.server.grpc;

import java.util.concurrent.atomic.LongAdder;

/** Counts the calls that were refused because too many were under way. Thread-safe. */
public final class RefusedCalls {

  private final LongAdder count = new LongAdder();

  /** Counts one. */
  public void refused() {
    count.increment();
  }

  /** How many since the server started. */
  public long count() {
    return count.sum();
  }
}
