package dev.troupe.bench;

import java.time.Duration;
import java.util.concurrent.CompletionStage;

/**
 * A lock service under load, started for the benchmark and stopped by {@link #close}.
 *
 * <p>Workers are numbered from 0. A worker does one thing at a time: it waits for one lock, or
 * holds one, or has none. So a service may give each worker a session, a lease or a thread id of
 * its own, made when the worker is first seen, and choose its connection by the worker's number.
 * Different workers call at the same time, from any thread, and none may be blocked.
 */
interface LockPeer extends AutoCloseable {

  /** For tables. */
  String label();

  /**
   * Asks for an exclusive lock, for as long as it takes.
   *
   * @return completed when the lock is the worker's, or with why it cannot be had
   */
  CompletionStage<Held> acquire(String name, int worker);

  /** Processor time that the service took so far; zero when it has no process of its own. */
  Duration serverCpu();

  /** Processor time that the service's store took so far; zero when it is part of the service. */
  Duration storeCpu();

  /** Stops what was started and deletes its data. */
  @Override
  void close() throws Exception;

  /** A lock that a worker has. */
  interface Held {

    /**
     * Gives it back, once.
     *
     * @return completed when the service has answered; then the worker may ask again
     */
    CompletionStage<?> release();
  }
}
