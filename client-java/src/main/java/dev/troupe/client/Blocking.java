package dev.troupe.client;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/** Waits for a call that has its own deadline. */
final class Blocking {

  private Blocking() {}

  /**
   * The result.
   *
   * @throws TroupeClientException as the call did, or with CANCELLED when the thread is
   *     interrupted; the call is cancelled then
   */
  static <T> T await(CompletableFuture<T> call) {
    try {
      return call.get();
    } catch (ExecutionException e) {
      throw TroupeClientException.of(e);
    } catch (InterruptedException e) {
      call.cancel(true);
      Thread.currentThread().interrupt();
      throw TroupeClientException.of(
          io.grpc.Status.CANCELLED
              .withDescription("the thread was interrupted")
              .withCause(e)
              .asRuntimeException());
    }
  }
}
