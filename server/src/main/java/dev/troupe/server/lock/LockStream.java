package dev.troupe.server.lock;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.grpc.Checks;
import dev.troupe.server.grpc.StatusMapper;
import dev.troupe.v1.AcquireRequest;
import dev.troupe.v1.AcquireResponse;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.LockLease;
import dev.troupe.v1.LockStreamAnswer;
import dev.troupe.v1.LockStreamCall;
import dev.troupe.v1.LockStreamRequest;
import dev.troupe.v1.LockStreamResponse;
import dev.troupe.v1.Refusal;
import dev.troupe.v1.ReleaseLockRequest;
import io.grpc.Context;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * One stream of calls. Answers that come at the same time, as those of calls that shared a script,
 * leave in one message.
 *
 * <p>What it holds is bounded: it stops to read while too many releases are under way, as those
 * come to an end by themselves, or too many answers wait for a slow reader. An acquire may wait for
 * a release that is not read yet, so of those there may be many, and then no more.
 */
final class LockStream implements StreamObserver<LockStreamRequest> {

  static final int MOST_CALLS = 1000;
  static final int MOST_ACQUIRES = 10_000;
  private static final int MOST_RELEASES = 1000;
  private static final int MOST_UNSENT = 1000;
  private static final int ANSWERS_PER_MESSAGE = 256;
  private static final AcquireResponse GIVEN_UP =
      AcquireResponse.newBuilder().setRefusal(Refusal.REFUSAL_TIMED_OUT).build();
  private static final Duration RETRY_ELSEWHERE = Duration.ofMillis(100);

  private final LockCalls calls;
  private final Executor executor;
  private final ServerCallStreamObserver<LockStreamResponse> caller;
  private final Consumer<LockStream> onEnd;

  @GuardedBy("this")
  private final Map<Long, OpenAcquire> acquires = new HashMap<>();

  @GuardedBy("this")
  private final Deque<LockStreamAnswer> unsent = new ArrayDeque<>();

  @GuardedBy("this")
  private int releases;

  @GuardedBy("this")
  private boolean flushing;

  @GuardedBy("this")
  private boolean reading = true;

  @GuardedBy("this")
  private boolean leaving;

  @GuardedBy("this")
  private boolean draining;

  @GuardedBy("this")
  private boolean over;

  /** An acquire without an answer. */
  private static final class OpenAcquire {
    final Context.CancellableContext caller = Context.ROOT.withCancellation();
    volatile boolean givenUp;
  }

  LockStream(
      LockCalls calls,
      Executor executor,
      ServerCallStreamObserver<LockStreamResponse> caller,
      Consumer<LockStream> onEnd) {
    this.calls = calls;
    this.executor = executor;
    this.caller = caller;
    this.onEnd = onEnd;
  }

  void begin() {
    caller.disableAutoRequest();
    caller.setOnReadyHandler(this::flush);
    caller.setOnCancelHandler(this::broken);
    caller.setOnCloseHandler(this::broken);
    caller.request(1);
  }

  @Override
  public void onNext(LockStreamRequest request) {
    List<LockStreamCall> asked = request.getCallsList();
    for (int i = 0; i < asked.size(); i++) {
      LockStreamCall call = asked.get(i);
      if (i >= MOST_CALLS) {
        refuse(call, "calls", "too many in one message (at most " + MOST_CALLS + ")");
        continue;
      }
      switch (call.getCallCase()) {
        case ACQUIRE -> acquire(call, call.getAcquire());
        case RELEASE -> release(call.getCallId(), call.getRelease());
        case CANCEL -> cancel(call.getCallId());
        case CALL_NOT_SET -> refuse(call, "call", "required");
      }
    }
    synchronized (this) {
      reading = false;
    }
    readOn();
  }

  private void refuse(LockStreamCall call, String field, String description) {
    fail(
        call.getCallId(),
        TroupeException.invalid(new Checks().violation(field, description).violations()));
  }

  private void acquire(LockStreamCall call, AcquireRequest request) {
    long id = call.getCallId();
    OpenAcquire one = new OpenAcquire();
    boolean full;
    boolean taken = false;
    synchronized (this) {
      if (over) {
        return;
      }
      full = acquires.size() >= MOST_ACQUIRES;
      if (!full) {
        taken = acquires.putIfAbsent(id, one) != null;
      }
    }
    if (full) {
      fail(
          id,
          TroupeException.of(
              ErrorReason.ERROR_REASON_LIMIT_EXCEEDED,
              "too many acquires of the stream have no answer",
              Map.of("limit", Integer.toString(MOST_ACQUIRES))));
    } else if (taken) {
      refuse(call, "call_id", "is that of an acquire without an answer");
    } else {
      stage(() -> calls.acquire(request, one.caller))
          .whenComplete(
              (response, failure) -> {
                synchronized (this) {
                  acquires.remove(id, one);
                }
                if (failure != null) {
                  fail(id, failure);
                } else if (one.givenUp && response.hasLease()) {
                  takeBack(request.getNamespace(), response.getLease());
                  answer(answer(id).setAcquire(GIVEN_UP));
                } else {
                  answer(answer(id).setAcquire(response));
                }
              });
    }
  }

  /** It was granted while it was given up. What cannot be given back runs out by itself. */
  private void takeBack(String namespace, LockLease lease) {
    var unused =
        stage(
            () ->
                calls.release(
                    ReleaseLockRequest.newBuilder()
                        .setNamespace(namespace)
                        .setName(lease.getName())
                        .setLeaseId(lease.getLeaseId())
                        .build()));
  }

  private void cancel(long id) {
    OpenAcquire one;
    synchronized (this) {
      one = acquires.get(id);
    }
    if (one != null) {
      one.givenUp = true;
      one.caller.cancel(null);
    }
  }

  private void release(long id, ReleaseLockRequest request) {
    synchronized (this) {
      if (over) {
        return;
      }
      releases++;
    }
    stage(() -> calls.release(request))
        .whenComplete(
            (response, failure) -> {
              synchronized (this) {
                releases--;
              }
              if (failure != null) {
                fail(id, failure);
              } else {
                answer(answer(id).setRelease(response));
              }
            });
  }

  private static <T> CompletionStage<T> stage(Supplier<CompletionStage<T>> call) {
    try {
      return call.get();
    } catch (RuntimeException refusal) {
      return CompletableFuture.failedFuture(refusal);
    }
  }

  private static LockStreamAnswer.Builder answer(long id) {
    return LockStreamAnswer.newBuilder().setCallId(id);
  }

  private void fail(long id, Throwable failure) {
    answer(answer(id).setError(StatusMapper.toItemError(failure)));
  }

  private void answer(LockStreamAnswer.Builder answer) {
    synchronized (this) {
      if (over) {
        return;
      }
      unsent.add(answer.build());
      if (flushing) {
        return;
      }
      flushing = true;
    }
    // Behind the answers that are about to come with this one.
    executor.execute(this::flush);
  }

  private void flush() {
    synchronized (this) {
      flushing = false;
      while (!over && !unsent.isEmpty() && caller.isReady()) {
        LockStreamResponse.Builder response = LockStreamResponse.newBuilder();
        while (!unsent.isEmpty() && response.getAnswersCount() < ANSWERS_PER_MESSAGE) {
          response.addAnswers(unsent.remove());
        }
        caller.onNext(response.build());
      }
      leaveIfAnswered();
    }
    readOn();
  }

  private void readOn() {
    synchronized (this) {
      if (reading
          || over
          || draining
          || releases >= MOST_RELEASES
          || unsent.size() >= MOST_UNSENT) {
        return;
      }
      reading = true;
    }
    // Without the lock: the next message may be handed over at once.
    caller.request(1);
  }

  @GuardedBy("this")
  private void leaveIfAnswered() {
    if (over || !(leaving || draining) || releases > 0) {
      return;
    }
    if (acquires.isEmpty() && unsent.isEmpty()) {
      end();
      if (leaving) {
        caller.onCompleted();
      } else {
        caller.onError(
            StatusMapper.toStatus(
                TroupeException.shuttingDown("go on with another one", RETRY_ELSEWHERE)));
      }
    }
  }

  /** Answers what was read, reads no more, and ends. */
  synchronized void drain() {
    draining = true;
    leaveIfAnswered();
  }

  @Override
  public synchronized void onCompleted() {
    leaving = true;
    leaveIfAnswered();
  }

  @Override
  public void onError(Throwable failure) {
    broken();
  }

  /** Nobody hears the answers any more: a repeat finds what there was, for a while. */
  private void broken() {
    List<OpenAcquire> open;
    synchronized (this) {
      if (over) {
        return;
      }
      open = List.copyOf(acquires.values());
      acquires.clear();
      unsent.clear();
      end();
    }
    open.forEach(one -> one.caller.cancel(null));
  }

  @GuardedBy("this")
  private void end() {
    over = true;
    onEnd.accept(this);
  }
}
