package dev.troupe.bench;

import io.grpc.stub.StreamObserver;
import java.util.concurrent.CompletableFuture;

/** The answer to a unary call. */
final class Answer<T> implements StreamObserver<T> {

  final CompletableFuture<T> future = new CompletableFuture<>();

  @Override
  public void onNext(T message) {
    future.complete(message);
  }

  @Override
  public void onError(Throwable failure) {
    future.completeExceptionally(failure);
  }

  @Override
  public void onCompleted() {}
}
