package dev.troupe.client;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.troupe.v1.LockServiceGrpc;
import dev.troupe.v1.LockStreamAnswer;
import dev.troupe.v1.LockStreamCall;
import dev.troupe.v1.LockStreamCancel;
import dev.troupe.v1.LockStreamRequest;
import dev.troupe.v1.LockStreamResponse;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ClientResponseObserver;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** One stream of calls; those made while a message is on its way out leave with the next. */
final class LockStream implements ClientResponseObserver<LockStreamRequest, LockStreamResponse> {

  private static final int MOST_PER_MESSAGE = 500;

  private final BiConsumer<LockStream, Status> onEnd;

  @GuardedBy("this")
  private final Map<Long, Open> open = new HashMap<>();

  @GuardedBy("this")
  private LockStreamRequest.Builder next = LockStreamRequest.newBuilder();

  @GuardedBy("this")
  private boolean sending = true;

  @GuardedBy("this")
  private boolean over;

  @GuardedBy("this")
  private boolean used;

  @GuardedBy("this")
  private long lastId;

  private volatile @Nullable ClientCallStreamObserver<LockStreamRequest> up;

  /** A call on the stream; fails when the stream ends without an answer to it. */
  record Open(long id, CompletableFuture<LockStreamAnswer> answer) {}

  LockStream(BiConsumer<LockStream, Status> onEnd) {
    this.onEnd = onEnd;
  }

  void begin(Channel channel) {
    ClientCalls.asyncBidiStreamingCall(
        channel.newCall(
            LockServiceGrpc.getLockStreamMethod(), CallOptions.DEFAULT.withWaitForReady()),
        this);
    // Until here, what was called waited.
    send();
  }

  @Override
  public void beforeStart(ClientCallStreamObserver<LockStreamRequest> stream) {
    up = stream;
  }

  Open call(LockStreamCall.Builder call) {
    Open one;
    synchronized (this) {
      one = new Open(++lastId, new CompletableFuture<>());
      if (over) {
        one.answer.completeExceptionally(Status.UNAVAILABLE.asRuntimeException());
        return one;
      }
      used = true;
      open.put(one.id, one);
      next.addCalls(call.setCallId(one.id));
      if (sending) {
        return one;
      }
      sending = true;
    }
    send();
    return one;
  }

  /** Nobody hears the answer to a call any more. */
  void giveUp(Open one) {
    synchronized (this) {
      if (open.remove(one.id) == null || over) {
        return;
      }
      next.addCalls(
          LockStreamCall.newBuilder()
              .setCallId(one.id)
              .setCancel(LockStreamCancel.getDefaultInstance()));
      if (sending) {
        return;
      }
      sending = true;
    }
    send();
  }

  /** Sends what there is, on behalf of all who add to it meanwhile. */
  private void send() {
    ClientCallStreamObserver<LockStreamRequest> stream = up;
    while (true) {
      LockStreamRequest request;
      synchronized (this) {
        if (next.getCallsCount() == 0 || over || stream == null) {
          sending = false;
          return;
        }
        if (next.getCallsCount() <= MOST_PER_MESSAGE) {
          request = next.build();
          next = LockStreamRequest.newBuilder();
        } else {
          List<LockStreamCall> all = next.getCallsList();
          request =
              LockStreamRequest.newBuilder().addAllCalls(all.subList(0, MOST_PER_MESSAGE)).build();
          next =
              LockStreamRequest.newBuilder().addAllCalls(all.subList(MOST_PER_MESSAGE, all.size()));
        }
      }
      stream.onNext(request);
    }
  }

  /** Ends the stream unless something happens on it, or did since this was asked last. */
  boolean closeIfIdle() {
    synchronized (this) {
      if (over) {
        return true;
      }
      if (used || sending || !open.isEmpty()) {
        used = false;
        return false;
      }
      over = true;
    }
    onEnd.accept(this, Status.OK);
    ClientCallStreamObserver<LockStreamRequest> stream = up;
    if (stream != null) {
      stream.onCompleted();
    }
    return true;
  }

  @Override
  public void onNext(LockStreamResponse response) {
    for (LockStreamAnswer answer : response.getAnswersList()) {
      Open one;
      synchronized (this) {
        one = open.remove(answer.getCallId());
      }
      if (one != null) {
        one.answer.complete(answer);
      }
    }
  }

  @Override
  public void onError(Throwable failure) {
    end(Status.fromThrowable(failure), failure);
  }

  @Override
  public void onCompleted() {
    end(Status.OK, Status.UNAVAILABLE.asRuntimeException());
  }

  private void end(Status status, Throwable failure) {
    List<Open> lost;
    synchronized (this) {
      over = true;
      lost = List.copyOf(open.values());
      open.clear();
    }
    onEnd.accept(this, status);
    lost.forEach(one -> one.answer.completeExceptionally(failure));
  }
}
