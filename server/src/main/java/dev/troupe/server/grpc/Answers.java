package dev.troupe.server.grpc;

import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/** The one place that turns a stage into the answer of a unary call; no call is left open. */
public final class Answers {

  private Answers() {}

  /**
   * Answers with what the work yields, or with the status of its failure. A check that throws while
   * the work is being set up is answered the same way.
   */
  public static <T> void answer(StreamObserver<T> caller, Supplier<CompletionStage<T>> work) {
    CompletionStage<T> stage;
    try {
      stage = work.get();
    } catch (RuntimeException | Error e) {
      caller.onError(StatusMapper.toStatus(e));
      return;
    }
    stage.whenComplete(
        (response, failure) -> {
          if (caller instanceof ServerCallStreamObserver<T> call && call.isCancelled()) {
            return;
          }
          if (failure != null) {
            caller.onError(StatusMapper.toStatus(failure));
          } else {
            caller.onNext(response);
            caller.onCompleted();
          }
        });
  }
}
