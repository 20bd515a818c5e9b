package dev.troupe.bench;

import dev.troupe.v1.LockServiceGrpc;
import dev.troupe.v1.LockStreamAnswer;
import dev.troupe.v1.LockStreamCall;
import dev.troupe.v1.LockStreamRequest;
import dev.troupe.v1.LockStreamResponse;
import io.grpc.ManagedChannel;
import io.grpc.stub.StreamObserver;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * One stream of calls. Those that are made while answers are handed over leave together, as those
 * of an asynchronous client do.
 */
final class LockStreamCalls implements StreamObserver<LockStreamResponse> {

  private final StreamObserver<LockStreamRequest> up;

  private final Map<Long, CompletableFuture<LockStreamAnswer>> open = new HashMap<>();

  private LockStreamRequest.Builder next = LockStreamRequest.newBuilder();

  private long lastId;

  private @Nullable Thread receiver;

  LockStreamCalls(ManagedChannel channel) {
    up = LockServiceGrpc.newStub(channel).lockStream(this);
  }

  CompletableFuture<LockStreamAnswer> call(LockStreamCall.Builder call) {
    CompletableFuture<LockStreamAnswer> answer = new CompletableFuture<>();
    synchronized (this) {
      open.put(++lastId, answer);
      next.addCalls(call.setCallId(lastId));
      if (receiver != Thread.currentThread()) {
        send();
      }
    }
    return answer;
  }

  private void send() {
    if (next.getCallsCount() > 0) {
      up.onNext(next.build());
      next = LockStreamRequest.newBuilder();
    }
  }

  @Override
  public void onNext(LockStreamResponse response) {
    synchronized (this) {
      receiver = Thread.currentThread();
    }
    for (LockStreamAnswer answer : response.getAnswersList()) {
      CompletableFuture<LockStreamAnswer> one;
      synchronized (this) {
        one = open.remove(answer.getCallId());
      }
      if (one == null) {
        throw new IllegalStateException("an answer to no call: " + answer);
      }
      if (answer.hasError()) {
        one.completeExceptionally(new IllegalStateException(answer.getError().getMessage()));
      } else {
        one.complete(answer);
      }
    }
    synchronized (this) {
      receiver = null;
      send();
    }
  }

  @Override
  public void onError(Throwable failure) {
    Map<Long, CompletableFuture<LockStreamAnswer>> lost;
    synchronized (this) {
      lost = Map.copyOf(open);
      open.clear();
    }
    lost.values().forEach(one -> one.completeExceptionally(failure));
  }

  @Override
  public void onCompleted() {}
}
