package dev.troupe.bench;

import io.grpc.stub.ServerCallStreamObserver;
import io.netty.util.concurrent.EventExecutor;
import java.util.ArrayDeque;
import java.util.LinkedHashSet;
import java.util.Queue;
import java.util.Set;

/**
 * The streams of the connections of one event loop. All is done on that loop, so that what goes to
 * many streams of a connection is flushed together, and nothing is locked.
 */
final class PushedStreams {

  private final EventExecutor loop;
  private final Set<Pushed> streams = new LinkedHashSet<>();

  PushedStreams(EventExecutor loop) {
    this.loop = loop;
  }

  /** Whether the thread that asks is the loop. */
  boolean isHere() {
    return loop.inEventLoop();
  }

  /** Adds a stream with its first message; on the loop only. */
  void add(byte[] first, ServerCallStreamObserver<byte[]> stream) {
    Pushed added = new Pushed(stream);
    stream.setOnReadyHandler(added::send);
    stream.setOnCancelHandler(() -> streams.remove(added));
    streams.add(added);
    added.push(first);
  }

  /** Sends a message to all that are there when the loop gets to it; from any thread. */
  void push(byte[] message) {
    loop.execute(() -> streams.forEach(stream -> stream.push(message)));
  }

  /**
   * One stream. What it cannot take yet waits here, shared with the others, as it would be copied
   * for each of them in the transport.
   */
  private static final class Pushed {

    private final ServerCallStreamObserver<byte[]> stream;
    private final Queue<byte[]> waiting = new ArrayDeque<>();

    Pushed(ServerCallStreamObserver<byte[]> stream) {
      this.stream = stream;
    }

    void push(byte[] message) {
      waiting.add(message);
      send();
    }

    void send() {
      while (!waiting.isEmpty() && stream.isReady()) {
        stream.onNext(waiting.remove());
      }
    }
  }
}
