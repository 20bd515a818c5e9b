package dev.troupe.client;

import java.util.concurrent.CompletableFuture;

/** A stream of changes that goes on until it is closed. Thread-safe. */
public interface Subscription extends AutoCloseable {

  /**
   * The token after the last response that was taken in; kept somewhere safe, it lets another
   * process go on from there. Empty before the first.
   */
  String resumeToken();

  /**
   * Done when the subscription was closed; fails with {@link TroupeClientException} when it cannot
   * go on, such as with a resume token that is not valid, or with what the listener threw.
   */
  CompletableFuture<Void> done();

  /** Ends it: when this returns, at most the response being handled is still delivered. */
  @Override
  void close();
}
