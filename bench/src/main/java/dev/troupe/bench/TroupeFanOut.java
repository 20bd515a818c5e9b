package dev.troupe.bench;

import com.google.protobuf.ByteString;
import dev.troupe.v1.Event;
import dev.troupe.v1.EventStreamServiceGrpc;
import dev.troupe.v1.EventToPublish;
import dev.troupe.v1.PublishBatchRequest;
import dev.troupe.v1.PublishRequest;
import dev.troupe.v1.SubscribeRequest;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Troupe's own topics, through its gRPC service: a server and a Redis as it starts its own. */
final class TroupeFanOut implements FanOutPeer {

  private static final int CHANNELS = 4;
  private static final String TOPIC = "fan-out";

  /** A server that has just begun is not to be met by all at once. */
  private static final int AT_ONCE = 50;

  /** What a stalled reader's side holds before the server notices. */
  private static final int SMALL_WINDOW = 64 << 10;

  private static final MethodDescriptor<SubscribeRequest, DeliveryTimes> SUBSCRIBE =
      EventStreamServiceGrpc.getSubscribeMethod().toBuilder(
              EventStreamServiceGrpc.getSubscribeMethod().getRequestMarshaller(),
              DeliveryTimes.MARSHALLER)
          .build();

  private final RedisUnderTest redis;
  private final RedisProbe probe;
  private final ServerUnderTest server;
  private final List<ManagedChannel> channels;

  private TroupeFanOut(RedisUnderTest redis, Path jar) throws IOException {
    this.redis = redis;
    this.probe = new RedisProbe(redis.url());
    // A stalled reader stays as long as the benchmark wants.
    this.server =
        new ServerUnderTest(jar, "--redis.url=" + redis.url(), "--events.slow-reader-timeout=1h");
    this.channels = ClosedLoop.channels(server.port, CHANNELS);
  }

  static TroupeFanOut start(Path jar, String fsync) throws IOException {
    return new TroupeFanOut(RedisUnderTest.start(fsync), jar);
  }

  @Override
  public String label() {
    return "Troupe";
  }

  @Override
  public AutoCloseable subscribe(int subscribers, Received received) throws InterruptedException {
    List<ClientCall<?, ?>> calls = new ArrayList<>();
    for (int i = 0; i < subscribers; i += AT_ONCE) {
      subscribe(i, Math.min(subscribers, i + AT_ONCE), received, calls);
    }
    return () -> calls.forEach(call -> call.cancel("enough", null));
  }

  private void subscribe(int from, int to, Received received, List<ClientCall<?, ?>> calls)
      throws InterruptedException {
    CountDownLatch live = new CountDownLatch(to - from);
    for (int i = from; i < to; i++) {
      int connection = i % CHANNELS;
      calls.add(
          open(
              channels.get(connection),
              new Reader(live) {
                @Override
                void take(DeliveryTimes times) {
                  for (int each = 0; each < times.count(); each++) {
                    received.at(connection, times.sentNanos(each));
                  }
                }
              }));
    }
    if (!live.await(60, TimeUnit.SECONDS)) {
      throw new IllegalStateException(live.getCount() + " subscribers are not live");
    }
  }

  @Override
  public AutoCloseable stall(int subscribers) throws InterruptedException {
    ManagedChannel own =
        NettyChannelBuilder.forAddress("127.0.0.1", server.port)
            .usePlaintext()
            .directExecutor()
            .flowControlWindow(SMALL_WINDOW)
            .build();
    CountDownLatch live = new CountDownLatch(subscribers);
    for (int i = 0; i < subscribers; i++) {
      open(
          own,
          new Reader(live) {
            @Override
            void take(DeliveryTimes times) {}

            @Override
            boolean wantsMore(DeliveryTimes times) {
              return !times.isCaughtUp();
            }
          });
    }
    if (!live.await(60, TimeUnit.SECONDS)) {
      throw new IllegalStateException(live.getCount() + " subscribers are not live");
    }
    return own::shutdownNow;
  }

  private static ClientCall<?, ?> open(ManagedChannel channel, Reader reader) {
    ClientCall<SubscribeRequest, DeliveryTimes> call =
        channel.newCall(SUBSCRIBE, CallOptions.DEFAULT);
    reader.call = call;
    call.start(reader, new Metadata());
    call.sendMessage(SubscribeRequest.newBuilder().addTopics(TOPIC).build());
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

    boolean wantsMore(DeliveryTimes times) {
      return true;
    }

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

  @Override
  public CompletionStage<?> publish(List<byte[]> events) {
    if (events.size() == 1) {
      return call(
          EventStreamServiceGrpc.getPublishMethod(),
          PublishRequest.newBuilder().setTopic(TOPIC).setEvent(event(events.get(0))).build());
    }
    PublishBatchRequest.Builder batch = PublishBatchRequest.newBuilder();
    for (byte[] data : events) {
      batch.addEvents(EventToPublish.newBuilder().setTopic(TOPIC).setEvent(event(data)));
    }
    return call(EventStreamServiceGrpc.getPublishBatchMethod(), batch.build());
  }

  private <Q, A> CompletionStage<A> call(MethodDescriptor<Q, A> method, Q request) {
    Answer<A> answer = new Answer<>();
    ClientCalls.asyncUnaryCall(
        channels.get(0).newCall(method, CallOptions.DEFAULT), request, answer);
    return answer.future;
  }

  private static Event event(byte[] data) {
    return Event.newBuilder()
        .setType("bench.event")
        .setSource("bench")
        .setSubject("subject")
        .setBinaryData(ByteString.copyFrom(data))
        .build();
  }

  @Override
  public Duration serverCpu() {
    return server.serverCpu();
  }

  @Override
  public Duration storeCpu() {
    return redis.cpu();
  }

  @Override
  public double heap() throws IOException, InterruptedException {
    return server.heapAfterCollection();
  }

  @Override
  public double storeCommands() throws IOException {
    Map<String, Long> calls = probe.calls();
    return calls.values().stream().mapToLong(Long::longValue).sum();
  }

  @Override
  public void close() throws IOException, InterruptedException {
    channels.forEach(ManagedChannel::shutdownNow);
    server.close();
    probe.close();
    redis.close();
  }
}
