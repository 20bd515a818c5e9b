package dev.troupe.bench;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * A service that hands what is published to all subscribers of one topic, started for the benchmark
 * and stopped by {@link #close}. Subscribers are spread over a few connections.
 */
interface FanOutPeer extends AutoCloseable {

  /** For tables. */
  String label();

  /**
   * Adds live subscribers.
   *
   * @param received is told of each delivery by the thread of its connection
   * @return ends these subscriptions
   */
  AutoCloseable subscribe(int subscribers, Received received) throws Exception;

  /**
   * Adds subscribers on a connection of their own that take a few messages and then no more.
   *
   * @return ends these subscriptions
   * @throws UnavailableException when the service has nothing like it
   */
  AutoCloseable stall(int subscribers) throws Exception;

  /** Publishes events, in one call where there is one; complete when all are accepted. */
  CompletionStage<?> publish(List<byte[]> events);

  Duration serverCpu();

  /** Of the store behind the server; zero when there is none. */
  Duration storeCpu();

  /** Heap in use after a collection, in bytes; not a number when it has none. */
  double heap() throws Exception;

  /** Commands that the store has run so far; not a number when there is none. */
  double storeCommands() throws Exception;

  @Override
  void close() throws Exception;

  /** What becomes of deliveries. */
  interface Received {

    /**
     * A delivery has arrived.
     *
     * @param connection number of the connection, from 0
     * @param sentNanos what the publisher's clock said
     */
    void at(int connection, long sentNanos);
  }
}
