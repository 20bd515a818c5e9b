package dev.troupe.server.event;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import com.google.inject.Inject;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.grpc.Drainable;
import dev.troupe.server.grpc.Names;
import dev.troupe.server.grpc.StatusMapper;
import dev.troupe.v1.EventToPublish;
import dev.troupe.v1.PublishResult;
import dev.troupe.v1.PublishStreamRequest;
import dev.troupe.v1.PublishStreamResponse;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** The streams of publishers. Thread-safe. */
final class PublishStreams implements Drainable {

  /** Beyond these a publisher waits for answers before it is heard again. */
  private static final int MOST_UNANSWERED = 256;

  private static final int MOST_UNANSWERED_BYTES = 4 << 20;
  private static final Duration RETRY_ELSEWHERE = Duration.ofMillis(100);

  private final Publishing publishing;
  private final Set<PublishStream> streams = ConcurrentHashMap.newKeySet();
  private volatile boolean draining;

  @Inject
  PublishStreams(Publishing publishing) {
    this.publishing = publishing;
  }

  StreamObserver<PublishStreamRequest> open(StreamObserver<PublishStreamResponse> caller) {
    PublishStream stream =
        new PublishStream((ServerCallStreamObserver<PublishStreamResponse>) caller);
    streams.add(stream);
    if (draining) {
      stream.drain();
    }
    return stream;
  }

  /** What is under way is answered, then the streams end. */
  @Override
  public CompletionStage<?> drain() {
    draining = true;
    streams.forEach(PublishStream::drain);
    return CompletableFuture.allOf(
        streams.stream().map(stream -> stream.ended).toArray(CompletableFuture<?>[]::new));
  }

  /** An event that is not answered yet; its result is there once it is known. */
  private static final class Unanswered {
    final int bytes;
    @Nullable PublishResult result;

    Unanswered(int bytes) {
      this.bytes = bytes;
    }
  }

  /**
   * One stream. It reads on while answers are read and not too many are owed. The lock guards the
   * fields and the calls to the caller; the store is not called under it.
   */
  private final class PublishStream implements StreamObserver<PublishStreamRequest> {

    private final ServerCallStreamObserver<PublishStreamResponse> caller;
    private final CompletableFuture<@Nullable Void> ended = new CompletableFuture<>();

    @GuardedBy("this")
    private final Queue<Unanswered> unanswered = new ArrayDeque<>();

    @GuardedBy("this")
    private long unansweredBytes;

    @GuardedBy("this")
    private boolean wantsNext;

    @GuardedBy("this")
    private boolean leaving;

    @GuardedBy("this")
    private boolean drained;

    @GuardedBy("this")
    private boolean over;

    PublishStream(ServerCallStreamObserver<PublishStreamResponse> caller) {
      this.caller = caller;
      caller.disableAutoRequest();
      caller.setOnReadyHandler(this::ready);
      caller.setOnCancelHandler(this::end);
      caller.setOnCloseHandler(this::end);
      caller.request(1);
    }

    @Override
    public void onNext(PublishStreamRequest request) {
      Unanswered one = new Unanswered(request.getSerializedSize());
      synchronized (this) {
        unanswered.add(one);
        unansweredBytes += one.bytes;
      }
      EventToPublish event = request.getEvent();
      try {
        PublishChecks.stream(request, publishing.maxData());
      } catch (TroupeException refusal) {
        answer(one, Publishing.refused(refusal));
        next();
        return;
      }
      String namespace = Names.namespace(request.getNamespace());
      Publication publication =
          new Publication(
              event.getTopic(), Publishing.withId(event.getEvent()), request.getFence());
      // The next message is asked for when this one has its place in the row.
      publishing
          .locate(namespace, event.getTopic())
          .whenComplete(
              (partition, failure) -> {
                if (failure != null) {
                  answer(one, Publishing.refused(failure));
                } else {
                  publishing
                      .publish(namespace, partition, publication)
                      .whenComplete(
                          (response, refusal) ->
                              answer(
                                  one,
                                  refusal != null
                                      ? Publishing.refused(refusal)
                                      : Publishing.published(response)));
                }
                next();
              });
    }

    private void answer(Unanswered one, PublishResult result) {
      synchronized (this) {
        one.result = result;
        if (over) {
          return;
        }
        Unanswered first = unanswered.peek();
        while (first != null && first.result != null) {
          // Out of the row before it is sent: sending may bring the next message here.
          unanswered.remove();
          unansweredBytes -= first.bytes;
          caller.onNext(PublishStreamResponse.newBuilder().setResult(first.result).build());
          first = unanswered.peek();
        }
      }
      leaveIfAnswered();
      ready();
    }

    private void next() {
      synchronized (this) {
        wantsNext = true;
      }
      ready();
    }

    private void ready() {
      synchronized (this) {
        if (over
            || drained
            || !wantsNext
            || !caller.isReady()
            || unanswered.size() >= MOST_UNANSWERED
            || unansweredBytes >= MOST_UNANSWERED_BYTES) {
          return;
        }
        wantsNext = false;
      }
      caller.request(1);
    }

    void drain() {
      synchronized (this) {
        drained = true;
      }
      leaveIfAnswered();
    }

    @Override
    public void onError(Throwable failure) {
      end();
    }

    @Override
    public void onCompleted() {
      synchronized (this) {
        leaving = true;
      }
      leaveIfAnswered();
    }

    private void leaveIfAnswered() {
      synchronized (this) {
        if (over || !unanswered.isEmpty() || !(leaving || drained)) {
          return;
        }
        over = true;
        if (leaving) {
          caller.onCompleted();
        } else {
          caller.onError(
              StatusMapper.toStatus(
                  TroupeException.shuttingDown("go on with another one", RETRY_ELSEWHERE)));
        }
      }
      end();
    }

    private void end() {
      synchronized (this) {
        over = true;
      }
      // Not under the lock: the server may go on stopping right here.
      streams.remove(this);
      ended.complete(null);
    }
  }
}
