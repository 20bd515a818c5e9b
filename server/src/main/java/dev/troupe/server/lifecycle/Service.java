package dev.troupe.server.lifecycle;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * A part of the server that is started and stopped.
 *
 * <p>Both steps run on a thread of their own and may block it; a step is over when its stage is.
 */
public interface Service {

  /** Makes the service ready; called at most once. */
  default CompletionStage<?> start() throws Exception {
    return CompletableFuture.completedFuture(null);
  }

  /**
   * Ends the service; called at most once, and only when it was started, even if that failed.
   *
   * @param grace how long work in hand may take to end by itself
   */
  default CompletionStage<?> stop(Duration grace) throws Exception {
    return CompletableFuture.completedFuture(null);
  }

  /** A service that has nothing to start and is closed in the end. */
  static Service closing(AutoCloseable resource) {
    return new Service() {
      @Override
      public CompletionStage<?> stop(Duration grace) throws Exception {
        resource.close();
        return CompletableFuture.completedFuture(null);
      }
    };
  }
}
