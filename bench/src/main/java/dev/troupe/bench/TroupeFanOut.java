package dev.troupe.bench;

import com.google.protobuf.ByteString;
import dev.troupe.v1.Event;
import dev.troupe.v1.EventStreamServiceGrpc;
import dev.troupe.v1.EventToPublish;
import dev.troupe.v1.PublishBatchRequest;
import dev.troupe.v1.PublishRequest;
import dev.troupe.v1.SubscribeRequest;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;

/** Troupe's own topics, through its gRPC service: a server and a Redis as it starts its own. */
final class TroupeFanOut implements FanOutPeer {

  static final int CHANNELS = 4;
  static final String TOPIC = "fan-out";

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
  private final Subscriptions<SubscribeRequest> subscriptions =
      new Subscriptions<>(SUBSCRIBE, SubscribeRequest.newBuilder().addTopics(TOPIC).build());

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
    return subscriptions.open(channels, subscribers, received);
  }

  @Override
  public AutoCloseable stall(int subscribers) throws InterruptedException {
    ManagedChannel own =
        NettyChannelBuilder.forAddress("127.0.0.1", server.port)
            .usePlaintext()
            .directExecutor()
            .flowControlWindow(SMALL_WINDOW)
            .build();
    subscriptions.stall(own, subscribers);
    return own::shutdownNow;
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

  /** As it is published; the server adds an id and the time. */
  static Event event(byte[] data) {
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
