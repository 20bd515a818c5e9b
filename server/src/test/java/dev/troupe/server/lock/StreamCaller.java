package dev.troupe.server.lock;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.v1.AcquireRequest;
import dev.troupe.v1.LockLease;
import dev.troupe.v1.LockServiceGrpc;
import dev.troupe.v1.LockStreamAnswer;
import dev.troupe.v1.LockStreamCall;
import dev.troupe.v1.LockStreamCancel;
import dev.troupe.v1.LockStreamRequest;
import dev.troupe.v1.LockStreamResponse;
import dev.troupe.v1.ReleaseLockRequest;
import io.grpc.Channel;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** A client's end of a {@code LockStream}. */
@SuppressWarnings("NullAway.Init")
final class StreamCaller implements ClientResponseObserver<LockStreamRequest, LockStreamResponse> {

  private final Map<Long, CompletableFuture<LockStreamAnswer>> answers = new ConcurrentHashMap<>();
  private final boolean reads;
  final CompletableFuture<Void> end = new CompletableFuture<>();
  final AtomicInteger answered = new AtomicInteger();
  ClientCallStreamObserver<LockStreamRequest> up;

  StreamCaller(Channel channel) {
    this(channel, true);
  }

  /** One that may not read on its own. */
  StreamCaller(Channel channel, boolean reads) {
    this.reads = reads;
    LockServiceGrpc.newStub(channel).lockStream(this);
  }

  @Override
  public void beforeStart(ClientCallStreamObserver<LockStreamRequest> stream) {
    up = stream;
    if (!reads) {
      stream.disableAutoRequestWithInitial(0);
    }
  }

  void send(LockStreamCall.Builder... calls) {
    LockStreamRequest.Builder request = LockStreamRequest.newBuilder();
    for (LockStreamCall.Builder call : calls) {
      request.addCalls(call);
    }
    up.onNext(request.build());
  }

  static LockStreamCall.Builder acquire(long id, AcquireRequest.Builder request) {
    return LockStreamCall.newBuilder().setCallId(id).setAcquire(request);
  }

  static LockStreamCall.Builder release(long id, String namespace, LockLease lease) {
    return LockStreamCall.newBuilder()
        .setCallId(id)
        .setRelease(
            ReleaseLockRequest.newBuilder()
                .setNamespace(namespace)
                .setName(lease.getName())
                .setLeaseId(lease.getLeaseId()));
  }

  static LockStreamCall.Builder cancel(long id) {
    return LockStreamCall.newBuilder()
        .setCallId(id)
        .setCancel(LockStreamCancel.getDefaultInstance());
  }

  /** The answer to a call, when it comes. */
  LockStreamAnswer answer(long id) throws Exception {
    return future(id).get(60, TimeUnit.SECONDS);
  }

  boolean isAnswered(long id) {
    return future(id).isDone();
  }

  /** The lease that a call has to get. */
  LockLease lease(long id) throws Exception {
    LockStreamAnswer answer = answer(id);
    assertThat(answer.getAcquire().hasLease()).as("%s", answer).isTrue();
    return answer.getAcquire().getLease();
  }

  private CompletableFuture<LockStreamAnswer> future(long id) {
    return answers.computeIfAbsent(id, any -> new CompletableFuture<>());
  }

  @Override
  public void onNext(LockStreamResponse response) {
    for (LockStreamAnswer answer : response.getAnswersList()) {
      answered.incrementAndGet();
      future(answer.getCallId()).complete(answer);
    }
  }

  @Override
  public void onError(Throwable failure) {
    end.completeExceptionally(failure);
  }

  @Override
  public void onCompleted() {
    end.complete(null);
  }
}
