package dev.troupe.client;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.troupe.v1.KeepAliveOutcome;
import dev.troupe.v1.KeepAliveRequest;
import dev.troupe.v1.KeepAliveResponse;
import dev.troupe.v1.LeaseRef;
import dev.troupe.v1.LockServiceGrpc;
import io.grpc.CallOptions;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ClientResponseObserver;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Renews all locks of a client over one stream, those that are due together in one message. When
 * the stream breaks another one is opened, and what was not answered is asked for again. There is
 * no stream while nothing is held. Thread-safe.
 */
final class LeaseKeeper {

  /** Those due within this time of the first are renewed with it. */
  private static final long TOGETHER_NANOS = 50_000_000;

  private static final int MOST_PER_MESSAGE = 500;

  /** Then another stream may get through where this one does not. */
  private static final long PATIENCE_NANOS = 2_000_000_000L;

  private final ClientRuntime runtime;

  @GuardedBy("this")
  private final Set<LockHandle> handles = new LinkedHashSet<>();

  @GuardedBy("this")
  private @Nullable Renewals stream;

  @GuardedBy("this")
  private @Nullable ScheduledFuture<?> next;

  @GuardedBy("this")
  private final Backoff backoff = new Backoff();

  LeaseKeeper(ClientRuntime runtime) {
    this.runtime = runtime;
  }

  synchronized void add(LockHandle handle) {
    handles.add(handle);
    schedule(0);
  }

  void remove(LockHandle handle) {
    Renewals idle = null;
    synchronized (this) {
      handles.remove(handle);
      if (handles.isEmpty()) {
        idle = stream;
        stream = null;
        if (next != null) {
          next.cancel(false);
          next = null;
        }
      }
    }
    if (idle != null) {
      idle.complete();
    }
  }

  /** Looks again when the next one is due, but not before some nanoseconds from now. */
  @GuardedBy("this")
  private void schedule(long leastNanos) {
    if (next != null) {
      next.cancel(false);
      next = null;
    }
    long now = System.nanoTime();
    long soonest = Long.MAX_VALUE;
    for (LockHandle handle : handles) {
      soonest = Math.min(soonest, handle.renewAtNanos() - now);
    }
    if (soonest == Long.MAX_VALUE) {
      return;
    }
    try {
      next =
          runtime
              .timer()
              .schedule(this::renew, Math.max(leastNanos, soonest), TimeUnit.NANOSECONDS);
    } catch (RejectedExecutionException clientClosed) {
      // The handles notice by themselves that nobody renews them.
      next = null;
    }
  }

  private void renew() {
    Renewals open;
    boolean isNew = false;
    synchronized (this) {
      if (stream == null) {
        stream = new Renewals();
        isNew = true;
      }
      open = stream;
    }
    if (isNew) {
      open.open();
    }
    synchronized (this) {
      if (stream != open) {
        return;
      }
      long now = System.nanoTime();
      Map<String, List<LockHandle>> due = new HashMap<>();
      for (LockHandle handle : handles) {
        if (handle.renewAtNanos() - now < TOGETHER_NANOS) {
          due.computeIfAbsent(handle.namespace(), n -> new ArrayList<>()).add(handle);
        }
      }
      due.forEach((namespace, some) -> open.ask(namespace, some, now));
      // What is not answered by then is asked for again.
      schedule(TimeUnit.MILLISECONDS.toNanos(100));
    }
  }

  private void ended(Renewals which) {
    synchronized (this) {
      if (stream != which) {
        return;
      }
      stream = null;
      schedule(backoff.next().toNanos());
    }
  }

  private synchronized void answered() {
    backoff.reset();
    schedule(0);
  }

  /** One stream; answers come in the order of the questions. */
  private final class Renewals
      implements ClientResponseObserver<KeepAliveRequest, KeepAliveResponse> {

    private record Question(List<LockHandle> handles, long askedNanos) {}

    private final Deque<Question> unanswered = new ArrayDeque<>();
    private @Nullable ClientCallStreamObserver<KeepAliveRequest> up;

    void open() {
      ClientCalls.asyncBidiStreamingCall(
          runtime
              .channel()
              .newCall(
                  LockServiceGrpc.getKeepAliveMethod(), CallOptions.DEFAULT.withWaitForReady()),
          this);
    }

    @Override
    public void beforeStart(ClientCallStreamObserver<KeepAliveRequest> stream) {
      up = stream;
      stream.setOnReadyHandler(LeaseKeeper.this::renew);
    }

    /** Asks for renewals, unless the stream is not open or the last questions are on their way. */
    void ask(String namespace, List<LockHandle> due, long now) {
      if (up == null || !up.isReady()) {
        return;
      }
      Question oldest;
      synchronized (unanswered) {
        oldest = unanswered.peek();
      }
      if (oldest != null) {
        if (now - oldest.askedNanos() > PATIENCE_NANOS) {
          up.cancel("no answer to a renewal", null);
          // At once: whoever lets go of a lock must not complete what is cancelled.
          ended(this);
        }
        return;
      }
      for (int from = 0; from < due.size(); from += MOST_PER_MESSAGE) {
        List<LockHandle> some = due.subList(from, Math.min(due.size(), from + MOST_PER_MESSAGE));
        KeepAliveRequest.Builder request = KeepAliveRequest.newBuilder().setNamespace(namespace);
        for (LockHandle handle : some) {
          request.addLeases(
              LeaseRef.newBuilder()
                  .setName(handle.lease().getName())
                  .setLeaseId(handle.lease().getLeaseId()));
        }
        synchronized (unanswered) {
          unanswered.add(new Question(some, now));
        }
        up.onNext(request.build());
      }
    }

    void complete() {
      if (up != null) {
        up.onCompleted();
      }
    }

    @Override
    public void onNext(KeepAliveResponse response) {
      Question question;
      synchronized (unanswered) {
        question = unanswered.poll();
      }
      if (question == null) {
        return;
      }
      for (int i = 0; i < response.getOutcomesCount(); i++) {
        KeepAliveOutcome outcome = response.getOutcomes(i);
        LockHandle handle = question.handles().get(i);
        if (outcome.hasExpireTime()) {
          handle.renewed(question.askedNanos());
        } else if (!TroupeClientException.of(outcome.getError()).isPassing()) {
          handle.lose(outcome.getError().getMessage());
        }
      }
      answered();
    }

    @Override
    public void onError(Throwable failure) {
      ended(this);
    }

    @Override
    public void onCompleted() {
      ended(this);
    }
  }
}
