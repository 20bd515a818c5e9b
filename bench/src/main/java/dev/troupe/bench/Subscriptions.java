package dev.troupe.bench;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Subscribers of a service that sends messages as Troupe does, so that their side costs the same
 * whoever the server is.
 *
 * @param <Q> what a subscriber asks with
 */
final class Subscriptions<Q> {

  /** A server that has just begun is not to be met by all at once. */
  private static final int AT_ONCE = 50;

  private final MethodDescriptor<Q, DeliveryTimes> method;
  private final Q request;

  Subscriptions(MethodDescriptor<Q, DeliveryTimes> method, Q request) {
    this.method = method;
    this.request = request;
  }

  /**
   * Adds subscribers in turn to each of the connections, and returns when all are live.
   *
   * @return ends these subscriptions
   */
  AutoCloseable open(List<ManagedChannel> channels, int subscribers, FanOutPeer.Received received)
      throws InterruptedException {
    List<ClientCall<?, ?>> calls = new ArrayList<>();
    for (int from = 0; from < subscribers; from += AT_ONCE) {
      int to = Math.min(subscribers, from + AT_ONCE);
      CountDownLatch live = new CountDownLatch(to - from);
      for (int i = from; i < to; i++) {
        int connection = i % channels.size();
        calls.add(call(channels.get(connection), new Taking(live, connection, received)));
      }
      await(live);
    }
    return () -> calls.forEach(call -> call.cancel("enough", null));
  }

  /** Adds subscribers that ask for nothing more as soon as they are live, and waits for that. */
  void stall(ManagedChannel channel, int subscribers) throws InterruptedException {
    CountDownLatch live = new CountDownLatch(subscribers);
    for (int i = 0; i < subscribers; i++) {
      call(channel, new Stalling(live));
    }
    await(live);
  }

  private static void await(CountDownLatch live) throws InterruptedException {
    if (!live.await(60, TimeUnit.SECONDS)) {
      throw new IllegalStateException(live.getCount() + " subscribers are not live");
    }
  }

  private ClientCall<?, ?> call(ManagedChannel channel, Reader reader) {
    ClientCall<Q, DeliveryTimes> call = channel.newCall(method, CallOptions.DEFAULT);
    reader.call = call;
    call.start(reader, new Metadata());
    call.sendMessage(request);
    call.halfClose();
    call.request(2);
    return call;
  }

  /** One subscription: asks for a message whenever it has taken one. */
  private abstract static class Reader extends ClientCall.Listener<DeliveryTimes> {

    private final CountDownLatch live;
    private ClientCall<?, ?> call;

    @SuppressWarnings("NullAway.Init") // Set before it hears of anything.
    Reader(CountDownLatch live) {
      this.live = live;
    }

    abstract void take(DeliveryTimes times);

    abstract boolean wantsMore(DeliveryTimes times);

    @Override
    public void onMessage(DeliveryTimes times) {
      if (times.isCaughtUp()) {
        live.countDown();
      }
      take(times);
      if (wantsMore(times)) {
        call.request(1);
      }
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      if (status.getCode() != Status.Code.CANCELLED && live.getCount() > 0) {
        System.err.println("a subscription ended: " + status);
      }
    }
  }

  private static final class Taking extends Reader {

    private final int connection;
    private final FanOutPeer.Received received;

    Taking(CountDownLatch live, int connection, FanOutPeer.Received received) {
      super(live);
      this.connection = connection;
      this.received = received;
    }

    @Override
    void take(DeliveryTimes times) {
      for (int each = 0; each < times.count(); each++) {
        received.at(connection, times.sentNanos(each));
      }
    }

    @Override
    boolean wantsMore(DeliveryTimes times) {
      return true;
    }
  }

  private static final class Stalling extends Reader {

    Stalling(CountDownLatch live) {
      super(live);
    }

    @Override
    void take(DeliveryTimes times) {}

    @Override
    boolean wantsMore(DeliveryTimes times) {
      return !times.isCaughtUp();
    }
  }
}
