package dev.troupe.bench;

import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** A fixed number of calls at a time, each followed by the next. */
final class ClosedLoop {

  private static final long TIMEOUT_MILLIS = 60_000;

  private ClosedLoop() {}

  static List<ManagedChannel> channels(int port, int count) {
    List<ManagedChannel> channels = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      channels.add(
          NettyChannelBuilder.forAddress("127.0.0.1", port)
              .usePlaintext()
              .directExecutor()
              .build());
    }
    return channels;
  }

  /** Returns when all calls are answered; one that is refused for now is made again. */
  static void run(List<ManagedChannel> channels, int calls, int inFlight, UnaryCall call)
      throws InterruptedException {
    CountDownLatch all = new CountDownLatch(calls);
    AtomicInteger left = new AtomicInteger(calls);
    for (int i = 0; i < inFlight; i++) {
      next(channels.get(i % channels.size()), call, left, all);
    }
    all.await();
  }

  private static void next(
      ManagedChannel channel, UnaryCall call, AtomicInteger left, CountDownLatch all) {
    if (left.getAndDecrement() <= 0) {
      return;
    }
    call.start(
        channel,
        TIMEOUT_MILLIS,
        new StreamObserver<Object>() {
          @Override
          public void onNext(Object response) {}

          @Override
          public void onError(Throwable failure) {
            if (Status.fromThrowable(failure).getCode() != Status.Code.UNAVAILABLE) {
              throw new IllegalStateException("a call failed", failure);
            }
            // Refused because there is too much to do, so it is still to be done.
            left.incrementAndGet();
            next(channel, call, left, all);
          }

          @Override
          public void onCompleted() {
            all.countDown();
            next(channel, call, left, all);
          }
        });
  }
}
